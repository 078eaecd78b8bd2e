#pragma once

#include <chrono>

#include "adapters/events/history.hpp"
#include "adapters/source/source.hpp"

namespace left4me {

/// What the history tells of a revision, as far as its source knows.
inline RevisionOrigin origin_of(const Snapshot& snapshot) {
    RevisionOrigin origin{snapshot.revision, snapshot.author, snapshot.subject, {}};
    if (snapshot.at) origin.committed_at = std::chrono::floor<std::chrono::microseconds>(*snapshot.at);
    return origin;
}

}  // namespace left4me
