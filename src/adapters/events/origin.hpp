#pragma once

#include <chrono>

#include "adapters/events/history.hpp"
#include "adapters/source/revision.hpp"

namespace left4me {

/// What the history records about a revision, as far as its source knows.
inline RevisionOrigin origin_of(const Snapshot& snapshot) {
    RevisionOrigin origin{snapshot.revision, snapshot.author, snapshot.subject, {}};
    if (snapshot.at) origin.committed_at = std::chrono::floor<std::chrono::microseconds>(*snapshot.at);
    return origin;
}

inline Revisions revisions_of(const ActiveRevision& in_force) {
    Revisions revisions{origin_of(in_force.snapshot), {}};
    if (in_force.rejected.empty()) return revisions;
    const RevisionOrigin rejected{in_force.rejected, {}, {}, {}};
    switch (in_force.error_kind) {
        case SourceErrorKind::Invalid:
            revisions.refused = {rejected, {"Invalid", in_force.error}};
            break;
        case SourceErrorKind::Held:
            revisions.refused = {rejected, {"Held", in_force.error}};
            break;
        case SourceErrorKind::None:
        case SourceErrorKind::Vanished:
            break;
    }
    return revisions;
}

}  // namespace left4me
