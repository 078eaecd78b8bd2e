#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "reconciler/time.hpp"

namespace left4me {

/// Why a build ended without an artifact.
enum class BuildFailureKind {
    SourceUnavailable,  ///< it cannot be read, or holds what no overlay may hold
    SourceChanged,      ///< while it was copied
    NoSpace,            ///< the disk or the quota is full
    IOError,
    OutOfMemory,
    TimedOut,
    Killed,
};

/// "SourceChanged", …: what stands in JSON.
const char* to_string(BuildFailureKind kind);
std::optional<BuildFailureKind> parse_build_failure(std::string_view text);

/// The last build of an overlay, when it failed.
struct BuildFailure {
    BuildFailureKind kind = BuildFailureKind::IOError;
    std::string message;
    unsigned failures = 1;  ///< in a row
    TimePoint at;
    std::string input;  ///< the fingerprint of the source that was tried; empty if it could not be told

    bool operator==(const BuildFailure&) const = default;
};

/// How far a build is that runs.
struct BuildProgress {
    std::uint64_t bytes = 0;  ///< of data; holes of sparse files do not count
    std::uint64_t total_bytes = 0;
    std::uint64_t files = 0;
    std::uint64_t total_files = 0;
    std::string input;  ///< as in BuildFailure

    bool operator==(const BuildProgress&) const = default;
};

/// "12 of 340 files, 1.5 of 20.1 GiB".
std::string to_text(const BuildProgress& progress);

}  // namespace left4me
