#pragma once

#include <chrono>
#include <cstdint>

#include "adapters/fd.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"

namespace left4me::builder {

/// What one run of a script may take.
struct ScriptLimits {
    std::chrono::seconds timeout{};
    std::uint64_t bytes = 0;  ///< of the archive that it sends
    /// Until its unit runs it. PID 1 may be busy: a boot starts everything at once.
    std::chrono::seconds start{120};
    /// From the end of its processes until its unit says how they ended.
    std::chrono::seconds end{20};
};

/// Lets the script of `room` (see adapters/store/script_files.hpp) run, and returns the archive of what it
/// left: an unnamed file in `build_directory`. Nothing of it has been read yet. Errors: the script failed,
/// did not start, was killed, took too long, or sends too much. The archive and the lines are a hostile
/// program's.
Built<Fd> receive_output(int room, int build_directory, const ScriptLimits& limits, Progress& progress);

}  // namespace left4me::builder
