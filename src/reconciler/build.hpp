#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reconciler/reason.hpp"
#include "reconciler/time.hpp"
#include "specs/manifest.hpp"

namespace left4me {

/// Whether `left4me-build@NAME.service` builds it. All others are written in milliseconds, by whoever carries
/// out the plan.
constexpr bool is_built_by_unit(const OverlaySource& source) {
    return !std::holds_alternative<InlineSource>(source);
}

/// What identifies the content that an archive gives: not where it is, so that mirrors may change.
std::string fingerprint(const ArchiveSource& source);
/// What the manifest asks for, and the pin. Not what a branch without one stands for: one that moves is not
/// built again.
std::string fingerprint(const GitSource& source);
/// The same of a map index: without a pin not its content, which whoever publishes it may change at any time.
std::string fingerprint(const MapIndexSource& source);
/// The numbers and the pin: what their authors publish under them changes at any time.
std::string fingerprint(const WorkshopSource& source);

/// The build that is asked for, or the pin; without both not what Steam has.
std::string fingerprint(const SteamSource& source);

/// The same for a script: its text and its settings.
std::string fingerprint(const ScriptSource& source);
/// Whether its build needs `left4me-script@NAME.service`, too.
bool runs_script(const OverlaySource& source);

/// Why a build produced no artifact.
enum class BuildFailureKind {
    SourceUnavailable,  ///< it cannot be read, or contains something that an overlay may not contain
    SourceChanged,      ///< while it was copied
    NoSpace,            ///< the disk or the quota is full
    IOError,
    OutOfMemory,
    TimedOut,
    Killed,
    ScriptFailed,  ///< the overlay's script, or its sandbox
};

/// "SourceChanged", …: the text in JSON.
const char* to_string(BuildFailureKind kind);
std::optional<BuildFailureKind> parse_build_failure(std::string_view text);
FailureKind failure_kind(BuildFailureKind kind);

/// The last build of an overlay, if it failed.
struct BuildFailure {
    BuildFailureKind kind = BuildFailureKind::IOError;
    std::string message;
    unsigned failures = 1;  ///< in a row
    TimePoint at;
    std::string input;  ///< the fingerprint of the source that was tried; empty if unknown

    bool operator==(const BuildFailure&) const = default;
};

/// An artifact, and the input that it was built from.
struct BuiltArtifact {
    std::string digest;
    std::string input;  ///< the fingerprint of the source
    /// What the content is called at its source, as a commit; empty: nothing, or unknown.
    std::string revision = {};
    /// As pinned_inputs(): of a source that moves, with what it was built from.
    std::vector<std::string> pinned = {};

    /// Whether it is what a source of this fingerprint asks for.
    bool is_of(const std::string& wanted) const {
        return input == wanted || std::find(pinned.begin(), pinned.end(), wanted) != pinned.end();
    }

    bool operator==(const BuiltArtifact&) const = default;
};

/// The results of an overlay's builds.
struct BuildRecord {
    Kind kind = Kind::Overlay;              ///< of what was built
    std::optional<BuiltArtifact> artifact;  ///< of the last build that succeeded
    std::optional<BuildFailure> failure;    ///< of the last build, if it failed
    // Of the last one:
    std::string invocation;  ///< systemd's INVOCATION_ID; empty: nothing was ever built
    TimePoint ended;
    std::chrono::milliseconds took{};

    bool operator==(const BuildRecord&) const = default;
};

/// What a build is doing.
enum class BuildPhase { Copying, Downloading, Unpacking, Running, Updating };

/// "Copying", …: the text in JSON.
const char* to_string(BuildPhase phase);
std::optional<BuildPhase> parse_build_phase(std::string_view text);

/// The progress of a running build.
struct BuildProgress {
    /// Of data, without the holes of sparse files. Downloading, Unpacking: of the archive.
    std::uint64_t bytes = 0;
    std::uint64_t total_bytes = 0;  ///< 0: unknown
    std::uint64_t files = 0;
    std::uint64_t total_files = 0;  ///< 0: unknown
    std::string input;              ///< as in BuildFailure
    BuildPhase phase = BuildPhase::Copying;
    // Of a source that consists of several things, which are fetched one after the other, the numbers above
    // are about one of them:
    std::uint64_t item = 0;   ///< its number, from 1
    std::uint64_t items = 0;  ///< how many there are; 0: the source is one thing
    std::string item_name = {};
    std::chrono::seconds elapsed{};  ///< of Running: for how long the script has been running

    bool operator==(const BuildProgress&) const = default;
};

/// 0 … 100, of the data; with several items, of those: whole ones, and the part of the current one.
unsigned percent(const BuildProgress& progress);
/// "12 of 340 files, 1.5 of 20.1 GiB"; "downloading, 1.5 of 20.1 MiB"; "unpacking, 12 files, 1.5 of 20.1 MiB
/// of what was downloaded"; "steamcmd works, 1.5 of 20.1 MiB"; with several items "NAME (3 of 50):
/// downloading, 1.5 of 20.1 MiB"; "running its script, 2 m".
std::string to_text(const BuildProgress& progress);

}  // namespace left4me
