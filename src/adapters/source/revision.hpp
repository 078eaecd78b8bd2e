#pragma once

#include <expected>
#include <string>

#include "adapters/paths.hpp"
#include "adapters/source/source.hpp"
#include "reconciler/desired.hpp"
#include "reconciler/intent.hpp"

namespace left4me {

/// The revision that the host should follow: the source's newest, or the last good one while that cannot be
/// used.
struct ActiveRevision {
    Snapshot snapshot;
    ManifestSet set;
    SourceErrorKind error_kind = SourceErrorKind::None;
    std::string error;          ///< what is wrong with the source's newest revision, one line per error
    std::string rejected = {};  ///< the source's newest revision, if it has one and it is not in force

    Desired desired() const { return make_desired(set, snapshot.revision); }
};

/// What people have approved and suspended, and the restarts that they asked for. If the suspensions cannot
/// be read, everything is suspended.
Intent load_intent(const Paths& paths);

/// Parses a snapshot's manifests, or returns every error in them; the names of files say which revision they
/// belong to.
std::expected<ManifestSet, SourceError> load_snapshot(const Snapshot& snapshot, const Limits& limits);

/// Reads the source and falls back to the last good revision. An error only if there is neither.
std::expected<ActiveRevision, SourceError> revision_in_force(const Paths& paths, Source& source,
                                                             const Limits& limits);
/// The same for the result of source.read().
std::expected<ActiveRevision, SourceError> revision_in_force(const Paths& paths, Source& source,
                                                             std::expected<Snapshot, SourceError> reading,
                                                             const Limits& limits);

/// Stores a valid revision as the one to fall back to.
std::expected<void, std::string> keep_last_good(const Paths& paths, const Snapshot& snapshot);
bool has_last_good(const Paths& paths);
std::optional<Snapshot> last_good(const Paths& paths);
/// Empty: there is none.
std::string last_good_revision(const Paths& paths);

/// A person approves one revision although it stops or deletes more than half of the running servers, or does
/// not descend from the previous one.
std::expected<void, std::string> approve(const Paths& paths, const std::string& revision);
bool is_approved(const Paths& paths, const std::string& revision);

/// The last one replaces those before it.
std::expected<void, std::string> stop_directly(const Paths& paths, const DirectStop& stop);

}  // namespace left4me
