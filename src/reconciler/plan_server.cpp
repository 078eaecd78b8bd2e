#include <fmt/format.h>

#include "reconciler/crashes.hpp"
#include "reconciler/draft.hpp"
#include "reconciler/game.hpp"

namespace left4me::draft {
namespace {

/// "the unit is inactive", "the unit failed (start-limit-hit)".
std::string unit_is(const ObservedUnit& unit) {
    if (unit.active != ActiveState::Failed) return fmt::format("the unit is {}", to_string(unit.active));
    if (unit.result.empty()) return "the unit failed";
    return fmt::format("the unit failed ({})", unit.result);
}

void plan_enablement(ServerDraft& draft) {
    switch (draft.observed->unit.enablement) {
        case Enablement::Enabled:
            break;
        case Enablement::Masked:
            draft.steps.push_back({Verb::Enable, "the unit is masked: it would not start", {}, {}});
            break;
        case Enablement::Disabled:
            draft.steps.push_back(
                {Verb::Enable,
                 fmt::format("the unit is {} {} not enabled: it would not survive a reboot",
                             to_string(draft.observed->unit.active),
                             draft.observed->unit.active == ActiveState::Active ? "but" : "and"),
                 {},
                 {}});
            break;
    }
}

/// A mounted overlay that was left behind is reused only if it is exactly the stack that a start would mount.
bool stale_mount(const ServerDraft& draft) {
    const auto& stack = draft.observed->stack();
    const std::vector<std::string>* const layers = draft.start_layers();
    return stack && !(layers != nullptr && *stack == *layers);
}

void plan_start(const World& world, ServerDraft& draft) {
    const ObservedUnit& unit = draft.observed->unit;
    if (game_is_missing(world, draft)) {
        draft.steps.push_back(
            {Verb::Hold,
             fmt::format("{}, but the game is not installed: there is no {} in the installation",
                         unit_is(unit), game::executable),
             {},
             HoldReason::NotInstalled});
        return;
    }
    if (stale_mount(draft)) {
        draft.steps.push_back(
            {Verb::Stop, "another stack is still mounted: it must be unmounted before a start", {}, {}});
    }
    // After a stop nothing counts as a failure that is corrected.
    if (unit.active == ActiveState::Failed && !was_stopped(unit)) {
        draft.steps.push_back(
            {Verb::ResetFailed, fmt::format("{}: it must be reset before a start", unit_is(unit)), {}, {}});
    }
    draft.steps.push_back(
        {Verb::Start,
         fmt::format("{}, the manifest says Running{}", unit_is(unit), why_as_is(world, draft)),
         {},
         {}});
}

/// What differs from what the running server was started with; nullopt: nothing, or a Hold says so already.
std::optional<Step> decide_change(const World& world, const ServerDraft& draft) {
    const ObservedServer& observed = *draft.observed;
    const std::vector<std::string>* const wanted = draft.back_to != nullptr ? &draft.back_to->layers
                                                   : draft.target->rendering
                                                       ? &(*draft.target->rendering)->layers()
                                                       : nullptr;
    // If the target is unknown, the current mount may stay.
    if (observed.stack() && (wanted == nullptr || *observed.stack() == *wanted)) return std::nullopt;
    const std::string change =
        draft.back_to != nullptr
            ? fmt::format("its change has failed: {}", world.memory.find(draft.name)->trial.failure)
            : describe_mounted(*draft.target, observed);
    Step step = decide_rollout(world, *draft.desired(), observed, change);
    // The target's rendering is not available now; a Hold reports that already.
    const bool is_reported = draft.as_is && draft.back_to == nullptr && draft.target->rendering;
    if (step.verb == Verb::Restart && is_reported) return std::nullopt;
    return step;
}

bool is_restart(const std::optional<Step>& step) { return step && step->verb == Verb::Restart; }

/// The players are told of the restart that comes first. `since`: when the scheduled one was due.
void warn_players(const World& world, ServerDraft& draft, bool change_waits, std::optional<TimePoint> since) {
    if (change_waits) {
        const TimePoint change_since = waits_since(world, *draft.desired());
        since = since ? std::min(*since, change_since) : change_since;
    }
    if (!since || draft.has(Verb::Restart)) return;
    if (auto warning = decide_warning(world, *draft.desired(), *draft.observed, *since, "restarted"))
        draft.steps.push_back(*std::move(warning));
}

void plan_active(const World& world, ServerDraft& draft) {
    std::optional<Step> change = decide_change(world, draft);
    std::optional<Step> request = decide_request(world, draft.name, *draft.observed);
    const std::optional<TimePoint> scheduled_at = scheduled_since(world, *draft.desired(), *draft.observed);
    std::optional<Step> scheduled;
    if (scheduled_at) scheduled = decide_scheduled(world, *draft.desired(), *draft.observed, *scheduled_at);
    std::optional<Step> slow = decide_slow(world, *draft.desired(), *draft.observed);
    // Whatever else waits for the players, on a game that hangs there are none.
    if (auto hang = decide_hang(world, draft); hang && draft.usable) {
        change = std::move(hang);
        request.reset();
    }
    const bool waits = change && change->code == HoldReason::RolloutPending;
    // One restart is enough: the one that waits for nothing, neither for other servers nor for players.
    if (is_restart(change)) {
        const BlueprintRollout& rollout = draft.desired()->blueprint_rollout;
        const bool change_may_wait = change->cause == Cause::Deadline || change->while_empty ||
                                     rollout.canary > 0 || rollout.max_unavailable;
        const bool request_is_sooner = change_may_wait && is_restart(request) && !request->while_empty &&
                                       !request_for(world.intent.restarts, draft.name)->staggered;
        (request_is_sooner ? change : request).reset();
    }
    // Another restart does not wait for the canary of a change.
    if (is_restart(change) && (is_restart(scheduled) || is_restart(slow)) &&
        draft.target->spec->blueprint_rollout.canary > 0)
        change.reset();
    if (is_restart(change) || is_restart(request)) scheduled.reset();
    if (is_restart(change) || is_restart(request) || is_restart(scheduled)) slow.reset();
    for (std::optional<Step>* const step : {&change, &request, &scheduled, &slow}) {
        if (!*step) continue;
        if (is_restart(*step) && game_is_missing(world, draft)) {
            (*step)->reason += ", but the game is not installed: it would not come up again";
            *step = Step{Verb::Hold, std::move((*step)->reason), {}, HoldReason::NotInstalled};
        }
        draft.steps.push_back(std::move(**step));
    }
    warn_players(world, draft, waits, scheduled_at);
    if (draft.has(Verb::Restart) || draft.has(Verb::Warn)) return;  // a console does one thing at a time
    if (auto command = decide_command(world, *draft.desired(), *draft.observed))
        draft.steps.push_back(*std::move(command));
    if (!draft.has(Verb::Command)) plan_cvars(world, draft);
}

void plan_running(const World& world, ServerDraft& draft) {
    const ObservedServer& observed = *draft.observed;
    plan_enablement(draft);
    switch (observed.unit.active) {
        case ActiveState::Activating:
            break;  // a start or systemd's own restart is in progress: do not interfere
        case ActiveState::Inactive:
        case ActiveState::Failed:
        case ActiveState::Deactivating:
            plan_start(world, draft);
            break;
        case ActiveState::Active:
            plan_active(world, draft);
            break;
    }
}

void plan_stopped(ServerDraft& draft) {
    const ObservedServer& observed = *draft.observed;
    if (observed.unit.enablement == Enablement::Enabled) {
        draft.steps.push_back(
            {Verb::Disable,
             "the unit is enabled, the manifest says Stopped: it would start at the next boot",
             {},
             {}});
    }
    if (occupies(observed.unit.active)) {
        draft.steps.push_back(
            {Verb::Stop, fmt::format("{}, the manifest says Stopped", unit_is(observed.unit)), {}, {}});
    } else if (observed.stack()) {
        draft.steps.push_back(
            {Verb::Stop, "its overlay is still mounted, the manifest says Stopped", {}, {}});
    }
    if (observed.unit.active == ActiveState::Failed) {
        draft.steps.push_back({Verb::ResetFailed,
                               fmt::format("{}, the manifest says Stopped", unit_is(observed.unit)),
                               {},
                               {}});
    }
}

}  // namespace

ServerDraft plan_server(const World& world, const TargetServer& target, const ObservedServer& observed) {
    ServerDraft draft{target.spec->name, &target, &observed, {}};
    const bool startable = plan_return(world, draft) || plan_rendering(world, draft);
    plan_attach(draft);
    if (target.spec->state == RunState::Stopped) {
        plan_stopped(draft);
    } else if (startable) {
        plan_running(world, draft);
    }
    plan_reset(world, draft, startable);
    report_shadows(draft);
    return draft;
}

}  // namespace left4me::draft
