#pragma once

#include <cstdint>

#include "builder/entry_writer.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"

namespace left4me::builder {

/// How many times its own size an archive may unpack to, beyond `free_bytes`. Text that repeats itself is
/// seldom packed better than 100:1; a bomb is.
struct RatioLimit {
    std::uint64_t ratio = 200;
    std::uint64_t free_bytes = 64U << 20U;
};

/// Unpacks the archive that `archive` is open at. A process of its own parses it, which can do nothing but
/// read it; this one checks and writes what that says.
Built<void> unpack(int archive, std::uint64_t archive_bytes, EntryWriter& writer, Progress& progress,
                   const RatioLimit& limit = {});

}  // namespace left4me::builder
