#pragma once

#include <chrono>

#include "adapters/events/history.hpp"
#include "adapters/source/revision.hpp"

namespace left4me {

/// What the history tells of a revision, as far as its source knows.
inline RevisionOrigin origin_of(const Snapshot& snapshot) {
    RevisionOrigin origin{snapshot.revision, snapshot.author, snapshot.subject, {}};
    if (snapshot.at) origin.committed_at = std::chrono::floor<std::chrono::microseconds>(*snapshot.at);
    return origin;
}

inline Revisions revisions_of(const InForce& in_force) {
    Revisions revisions{origin_of(in_force.snapshot), {}};
    if (in_force.offered.empty()) return revisions;
    const RevisionOrigin offered{in_force.offered, {}, {}, {}};
    switch (in_force.trouble) {
        case Trouble::Invalid:
            revisions.refused = {offered, {"Invalid", in_force.error}};
            break;
        case Trouble::Held:
            revisions.refused = {offered, {"Held", in_force.error}};
            break;
        case Trouble::None:
        case Trouble::Vanished:
            break;
    }
    return revisions;
}

}  // namespace left4me
