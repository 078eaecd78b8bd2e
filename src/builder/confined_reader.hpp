#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "builder/tree_writer.hpp"

namespace left4me::builder {

/// How many times its own size a source may unpack to, beyond `free_bytes`. Text that repeats itself is
/// seldom packed better than 100:1; a bomb is.
struct RatioLimit {
    std::uint64_t ratio = 200;
    std::uint64_t free_bytes = 64U << 20U;
};

/// What a process of its own parses.
struct ConfinedReading {
    /// What it reads, in any descriptors; it finds them as 0, 1, ….
    std::vector<int> files;
    /// Runs in that process, with Confinement::ParseOnly: sends Messages to the pipe, End or Failed as the
    /// last one.
    std::function<void(int pipe)> read;
    std::uint64_t bytes = 0;  ///< of all files
    std::string_view what;    ///< for messages: "the archive"
    /// What to do if it takes too much memory.
    std::string_view less_memory;
};

/// Reads a source that came from outside: its process can do nothing but read the files; this one checks and
/// writes what that says. Returns the revision, if the process told one.
Built<std::string> read_confined(const ConfinedReading& reading, TreeWriter& writer, Progress& progress,
                                 const RatioLimit& limit = {});

}  // namespace left4me::builder
