#include "reconciler/wake.hpp"

#include <algorithm>

#include "reconciler/backoff.hpp"
#include "reconciler/crashes.hpp"
#include "reconciler/deadline.hpp"
#include "reconciler/refresh.hpp"

namespace left4me {
namespace {

class Earliest {
  public:
    explicit Earliest(TimePoint now) : now_(now) {}

    void consider(const std::optional<TimePoint>& time) {
        if (time && *time > now_ && (!earliest_ || *time < *earliest_)) earliest_ = time;
    }

    std::optional<TimePoint> get() const { return earliest_; }

  private:
    TimePoint now_;
    std::optional<TimePoint> earliest_;
};

/// Of a change that waits; nullptr: none does.
const Rollout* waiting_rollout(const Desired& desired, const std::string& name, const ServerStatus& status) {
    const auto server = desired.servers.find(name);
    if (server == desired.servers.end() || !status.remembered.held_since) return nullptr;
    return &server->second.rollout;
}

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
        if (const Rollout* const rollout = waiting_rollout(*target.desired, name, server)) {
            const auto deadline = deadline_of(*rollout, local, *server.remembered.held_since);
            earliest.consider(deadline);
            for (const std::chrono::seconds lead : rollout->warn) {
                if (deadline) earliest.consider(*deadline - lead);
            }
            if (rollout->window) earliest.consider(first_within(*rollout->window, local, now));
        }
        earliest.consider(ready_at(server));
    }
    for (const Action& action : remaining.actions) {
        if (action.code != HoldReason::BackOff) continue;
        if (const auto server = status.servers.find(action.subject.name);
            action.subject.kind == Kind::Server && server != status.servers.end()) {
            earliest.consider(server->second.remembered.backoff.retry_at);
        }
    }
    for (const Action& action : remaining.actions) {
        if (action.code != HoldReason::BackOff || action.subject.kind != Kind::Overlay) continue;
        if (const auto found = target.overlays.find(action.subject.name);
            found != target.overlays.end() && found->second.build)
            earliest.consider(found->second.build->unrecorded_retry(now));
    }
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
