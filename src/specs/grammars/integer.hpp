#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace left4me {

/// Plain decimal digits without a sign or a leading zero, within 64 bits.
std::optional<std::uint64_t> parse_integer(std::string_view text);

}  // namespace left4me
