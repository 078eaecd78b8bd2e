#pragma once

#include <string>

#include "reconciler/restart_request.hpp"
#include "reconciler/suspension.hpp"

namespace left4me {

/// A person stopped or deleted this one server by name, and this is the revision that says so.
struct DirectStop {
    std::string revision;
    std::string server;

    bool operator==(const DirectStop&) const = default;
};

/// What a person asked for outside the manifests.
struct Intent {
    /// What left4me must not touch.
    Suspensions suspended;
    /// The revision that a person approved, although it stops or deletes more than half of the running
    /// servers; empty: none.
    std::string approved;
    /// It does not wait for the approval of what else its revision stops.
    DirectStop direct_stop = {};
    /// A person asked for this pass: recent failures are retried now, however often they failed.
    bool retry_now = false;
    RestartRequests restarts = {};

    bool operator==(const Intent&) const = default;
};

}  // namespace left4me
