#pragma once

#include <optional>
#include <string>

#include "reconciler/reset_request.hpp"
#include "reconciler/restart_request.hpp"
#include "reconciler/rollback.hpp"
#include "reconciler/stop_request.hpp"
#include "reconciler/suspension.hpp"
#include "reconciler/time.hpp"

namespace left4me {

/// What a person asked for outside the manifests.
struct Intent {
    /// What left4me must not touch.
    Suspensions suspended;
    /// The revision that a person approved, although it stops or deletes more than half of the running
    /// servers; empty: none. What was held for its sake is done, whichever revision is in force by then.
    std::string approved;
    /// When a person last asked for a pass: what failed before is retried now, however often it failed. A
    /// time, because a build that is still ending then is only retried by a later step. nullopt: nobody
    /// asked.
    std::optional<TimePoint> retry_before = {};
    RestartRequests restarts = {};
    ResetRequests resets = {};
    StopRequests stops = {};
    /// Overlays that stay at an earlier artifact.
    Rollbacks rollbacks = {};

    /// Something was asked for that ends when it is done.
    bool has_requests() const { return !restarts.empty() || !resets.empty() || !stops.empty(); }

    /// Whether what failed at that time is retried without its backoff; nullopt: it failed before anybody
    /// asked.
    bool retries(const std::optional<TimePoint>& failed_at) const {
        return retry_before && (!failed_at || *failed_at < *retry_before);
    }

    bool operator==(const Intent&) const = default;
};

}  // namespace left4me
