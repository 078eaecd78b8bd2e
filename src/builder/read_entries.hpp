#pragma once

#include <cstdint>
#include <string>

#include "builder/confined_reader.hpp"
#include "builder/entry_writer.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"

namespace left4me::builder {

/// How many times its own size a source may unpack to, beyond `free_bytes`. Text that repeats itself is
/// seldom packed better than 100:1; a bomb is.
struct RatioLimit {
    std::uint64_t ratio = 200;
    std::uint64_t free_bytes = 64U << 20U;
};

/// Reads entries of files and directories that came from outside: a process of its own parses them, this one
/// checks and writes what that says. `bytes`: of all files that it reads. Returns the revision, if the
/// process told one.
Built<std::string> read_entries(const ConfinedReading& reading, std::uint64_t bytes, EntryWriter& writer,
                                Progress& progress, const RatioLimit& limit = {});

}  // namespace left4me::builder
