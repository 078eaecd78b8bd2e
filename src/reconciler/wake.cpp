#include "reconciler/wake.hpp"

#include <algorithm>

#include "reconciler/backoff.hpp"
#include "reconciler/crashes.hpp"
#include "reconciler/deadline.hpp"
#include "reconciler/refresh.hpp"
#include "reconciler/scheduled.hpp"

namespace left4me {
namespace {

class Earliest {
  public:
    explicit Earliest(TimePoint now) : now_(now) {}

    void consider(const std::optional<TimePoint>& time) {
        if (time && *time > now_ && (!earliest_ || *time < *earliest_)) earliest_ = time;
    }

    /// Of a restart that waits since then.
    void consider_wait(const Rollout& rollout, TimePoint since, const LocalTime& local) {
        const auto deadline = deadline_of(rollout, local, since);
        consider(deadline);
        for (const std::chrono::seconds lead : rollout.warn) {
            if (deadline) consider(*deadline - lead);
        }
        if (rollout.window) consider(first_within(*rollout.window, local, now_));
    }

    std::optional<TimePoint> get() const { return earliest_; }

  private:
    TimePoint now_;
    std::optional<TimePoint> earliest_;
};

/// When a server that has just started will have stayed up for long enough.
std::optional<TimePoint> ready_at(const ServerStatus& status) {
    const Crashes& crashes = status.remembered.crashes;
    if (!crashes.active_since) return std::nullopt;
    const TimePoint stayed_up = *crashes.active_since + min_ready(crashes);
    const Backoff& backoff = status.remembered.backoff;
    return is_crash_loop(backoff) ? std::max(stayed_up, backoff.retry_at.value_or(stayed_up)) : stayed_up;
}

}  // namespace

std::optional<TimePoint> earliest_wake(const Target& target, const Intent& intent, const Status& status,
                                       const Plan& remaining, TimePoint now, const LocalTime& local) {
    Earliest earliest(now);
    for (const auto& [name, server] : status.servers) {
        earliest.consider(ready_at(server));
        const auto found = target.desired->servers.find(name);
        if (found == target.desired->servers.end()) continue;
        const DesiredServer& desired = found->second;
        if (server.remembered.held_since)
            earliest.consider_wait(desired.rollout, *server.remembered.held_since, local);
        if (const auto& healthy = server.remembered.trial.healthy)
            earliest.consider(*healthy + desired.blueprint_rollout.soak);
        if (desired.schedule.empty()) continue;
        for (const ScheduleEntry& entry : desired.schedule) earliest.consider(local.next(entry.times, now));
        const std::optional<TimePoint>& since = server.remembered.crashes.active_since;
        const auto due =
            since ? restart_due_since(desired.schedule, server.remembered.schedule, *since, local, now)
                  : std::nullopt;
        if (due) earliest.consider_wait(desired.rollout, *due, local);
    }
    for (const Action& action : remaining.actions) {
        if (action.code != HoldReason::BackOff) continue;
        if (const auto server = status.servers.find(action.subject.name);
            action.subject.kind == Kind::Server && server != status.servers.end()) {
            earliest.consider(server->second.remembered.backoff.retry_at);
        }
    }
    for (const Action& action : remaining.actions) {
        if (action.code != HoldReason::BackOff || !has_artifacts(action.subject.kind)) continue;
        if (const auto found = target.overlays.find(action.subject.name);
            found != target.overlays.end() && found->second.build)
            earliest.consider(found->second.build->unrecorded_retry(now));
    }
    earliest.consider(status.tuned.backoff.retry_at);
    for (const auto& [name, backoff] : status.overlays) earliest.consider(backoff.retry_at);
    for (const auto& [name, calendar] : target.desired->refreshes) {
        if (const auto refreshed = status.refreshes.find(name); refreshed != status.refreshes.end())
            earliest.consider(refresh_due(calendar, refreshed->second, local));
    }
    if (intent.suspended.all) earliest.consider(intent.suspended.all->until);
    for (const auto& [name, suspension] : intent.suspended.servers) earliest.consider(suspension.until);
    return earliest.get();
}

}  // namespace left4me
