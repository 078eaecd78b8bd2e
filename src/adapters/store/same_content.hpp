#pragma once

#include <cstdint>

namespace left4me::store {

/// Whether two open regular files have the same bytes. False, too, if that cannot be told. Holes cost no
/// time.
bool have_same_content(int one, int other);

/// Where data begins at or after `at`; `size` if there is none. File systems without holes return `at`.
std::uint64_t next_data(int file, std::uint64_t at, std::uint64_t size);

}  // namespace left4me::store
