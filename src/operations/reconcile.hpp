#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <optional>

#include "adapters/trigger/client.hpp"
#include "operations/context.hpp"
#include "operations/settling.hpp"

namespace left4me::operations {

/// Fetches the remote, if the source has one. If that fails, the previously fetched revision stays in force.
Result<void> fetch(Context& context);

struct ReconcileOptions {
    Concern concern = {};
    bool retry_now = true;  ///< retry recent failures before they are due
    /// How long builds that keep something of concern from being done are waited for; nullopt: however long
    /// they take.
    std::optional<std::chrono::milliseconds> build_timeout = std::chrono::milliseconds(0);
    /// Called after each step, from the caller's thread.
    std::function<void(const StepReport&)> on_report = [](const StepReport&) {};
    /// Called about once a second between reports, from the caller's thread: a build that goes on is no news.
    std::function<void()> on_wait = [] {};
};

/// Makes the host follow the source until what is of concern has settled. Where l4d2d runs, it is triggered
/// and followed; else the engine is driven here. The reports are the same. Returns the last one; what failed
/// is in the reports. Errors: the kinds of the source's trouble if no revision is in force, HostUnavailable,
/// StateFailed, CommitFailed, and Interrupted by SIGINT or SIGTERM, which cancel nothing.
Result<StepReport> reconcile(Context& context, const ReconcileOptions& options);

/// Asks the daemon, if there is one, to observe again.
std::expected<void, TriggerError> trigger(const Context& context);

}  // namespace left4me::operations
