#pragma once

#include <string>

#include "reconciler/reset_request.hpp"
#include "reconciler/restart_request.hpp"
#include "reconciler/rollback.hpp"
#include "reconciler/stop_request.hpp"
#include "reconciler/suspension.hpp"

namespace left4me {

/// What a person asked for outside the manifests.
struct Intent {
    /// What left4me must not touch.
    Suspensions suspended;
    /// The revision that a person approved, although it stops or deletes more than half of the running
    /// servers; empty: none. What was held for its sake is done, whichever revision is in force by then.
    std::string approved;
    /// A person asked for this pass: recent failures are retried now, however often they failed.
    bool retry_now = false;
    RestartRequests restarts = {};
    ResetRequests resets = {};
    StopRequests stops = {};
    /// Overlays that stay at an earlier artifact.
    Rollbacks rollbacks = {};

    /// Something was asked for that ends when it is done.
    bool has_requests() const { return !restarts.empty() || !resets.empty() || !stops.empty(); }

    bool operator==(const Intent&) const = default;
};

}  // namespace left4me
