#pragma once

#include <expected>
#include <string>

#include "adapters/paths.hpp"
#include "adapters/source/source.hpp"
#include "reconciler/desired.hpp"
#include "reconciler/intent.hpp"

namespace left4me {

/// The revision that the host shall follow: the source's own, or the last good one while that cannot be used.
struct InForce {
    Snapshot snapshot;
    ManifestSet set;
    Trouble trouble = Trouble::None;
    std::string error;         ///< what is wrong with the source's own revision, one line an error
    std::string offered = {};  ///< the source's own revision, if it has one and it is not the one in force

    Desired desired() const { return make_desired(set, snapshot.revision); }
};

/// What people have approved and suspended, and the restarts that they asked for. If the suspensions cannot
/// be read, everything is suspended.
Intent load_intent(const Paths& paths);

/// Manifests of one reading, or every error in them; the names in it say which revision they are of.
std::expected<ManifestSet, SourceError> load_snapshot(const Snapshot& snapshot, const Limits& limits);

/// Reads the source and falls back to the last good revision. An error only when there is neither.
std::expected<InForce, SourceError> revision_in_force(const Paths& paths, Source& source,
                                                      const Limits& limits);
/// The same for what source.read() has just given.
std::expected<InForce, SourceError> revision_in_force(const Paths& paths, Source& source,
                                                      std::expected<Snapshot, SourceError> reading,
                                                      const Limits& limits);

/// Remembers a valid revision, whole, as the one to fall back to.
std::expected<void, std::string> keep_last_good(const Paths& paths, const Snapshot& snapshot);
bool has_last_good(const Paths& paths);
std::optional<Snapshot> last_good(const Paths& paths);
/// Empty: there is none.
std::string last_good_revision(const Paths& paths);

/// A person agrees to one revision although it stops or deletes more than half of the running servers, or is
/// not a descendant of what was followed before.
std::expected<void, std::string> approve(const Paths& paths, const std::string& revision);
bool is_approved(const Paths& paths, const std::string& revision);

}  // namespace left4me
