#include "reconciler/status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "reconciler/backoff.hpp"
#include "reconciler/crashes.hpp"
#include "reconciler/health.hpp"
#include "reconciler/live.hpp"

namespace left4me {
namespace {

/// Everything that a pass found out about one server.
struct ServerFindings {
    const TargetServer* target = nullptr;
    const ObservedServer* observed = nullptr;
    const Target* all_targets = nullptr;
    const Observed* host = nullptr;
    std::vector<const Action*> remaining;
    const Outcome* failure = nullptr;  ///< the first action that failed by itself
    const Action* failed_action = nullptr;
    const Suspension* suspension = nullptr;
    const Remembered* memory = nullptr;

    const Backoff& backoff() const { return memory->backoff; }
    const DesiredServer* desired() const { return target == nullptr ? nullptr : target->spec; }

    const Action* find_code(HoldReason code) const {
        return find([code](const Action& action) { return action.code == code; });
    }
    const Action* find_verb(Verb verb) const {
        return find([verb](const Action& action) { return action.verb == verb; });
    }
    const Action* find_effect() const {
        return find([](const Action& action) { return is_effect(action.verb); });
    }

    /// What is said into a console brings a server no nearer to its target: what it waits for goes on.
    const Action* find_progress() const {
        return find([](const Action& action) {
            return is_effect(action.verb) && action.verb != Verb::Warn && action.verb != Verb::Command;
        });
    }

  private:
    template <typename Matches>
    const Action* find(Matches matches) const {
        const auto found = std::find_if(remaining.begin(), remaining.end(),
                                        [&matches](const Action* action) { return matches(*action); });
        return found == remaining.end() ? nullptr : *found;
    }
};

std::map<std::string, ServerFindings> gather(const Target& target, const Observed& observed,
                                             const Plan& attempted, std::span<const Outcome> outcomes,
                                             const Plan& remaining) {
    static const ObservedServer never_seen;
    std::map<std::string, ServerFindings> all;
    for (const auto& [name, server] : target.servers) {
        const auto seen = observed.servers.find(name);
        ServerFindings& findings = all[name];
        findings.target = &server;
        findings.observed = seen == observed.servers.end() ? &never_seen : &seen->second;
    }
    for (const Action& action : remaining.actions) {
        if (action.subject.kind != Kind::Server) continue;
        const auto seen = observed.servers.find(action.subject.name);
        const bool named = target.servers.contains(action.subject.name);
        // A server that is neither desired nor managed is only reported; it has no status.
        if (!named && (seen == observed.servers.end() || !seen->second.managed)) continue;
        ServerFindings& findings = all[action.subject.name];
        if (findings.observed == nullptr) findings.observed = &seen->second;
        findings.remaining.push_back(&action);
    }
    for (const Outcome& outcome : outcomes) {
        const Action& action = attempted.actions[outcome.action];
        if (!has_failed(outcome) || action.subject.kind != Kind::Server) continue;
        const auto found = all.find(action.subject.name);
        if (found == all.end()) continue;
        ServerFindings& findings = found->second;
        // The cause, not its consequences, unless the cause is elsewhere (an overlay).
        const bool first =
            findings.failure == nullptr || (findings.failure->reason == FailureKind::PrerequisiteFailed &&
                                            outcome.reason != FailureKind::PrerequisiteFailed);
        if (!first) continue;
        findings.failure = &outcome;
        findings.failed_action = &action;
    }
    return all;
}

/// A condition without its times, which come from the previous status.
struct ConditionValue {
    ConditionStatus status = ConditionStatus::Unknown;
    ConditionReason reason;
    std::string message;
};

/// After repeated failures, the server must stay up until its next retry would be due.
bool is_crash_looping(const ServerFindings& findings, TimePoint now) {
    const Backoff& backoff = findings.backoff();
    return is_crash_loop(backoff) && (findings.find_code(HoldReason::BackOff) != nullptr ||
                                      (backoff.retry_at && now < *backoff.retry_at));
}

/// A unit that stays up: Ready means that its game answers, as far as that can be told.
ConditionValue responds(const ServerFindings& findings, const Condition* before) {
    switch (response_of(*findings.desired(), *findings.observed, *findings.host)) {
        case Response::NotYet:
            // A probe that has only just begun does not change what was known: after a start, no server is
            // Ready.
            if (before != nullptr && before->reason == ConditionReason(StateReason::Running)) break;
            return {ConditionStatus::False, StateReason::JustStarted,
                    fmt::format("started at {}, the game has not answered a query yet",
                                clock_text(*findings.observed->unit.active_since))};
        case Response::Silent:
            return {ConditionStatus::False, StateReason::NotResponding,
                    judge_silence(findings.desired()->health, *findings.observed, *findings.all_targets,
                                  *findings.host)
                        .why};
        case Response::Answers:
            return {ConditionStatus::True, StateReason::Running,
                    "the unit is active and enabled, its overlay mounted, and the game answers"};
        case Response::Unknown:
            break;
    }
    return {ConditionStatus::True, StateReason::Running,
            "the unit is active and enabled, its overlay mounted"};
}

/// An active unit: systemd says so as soon as the game's process exists, and says it again after each crash.
ConditionValue stays_up(const ServerFindings& findings, const Condition* before, TimePoint now) {
    const Crashes& crashes = findings.memory->crashes;
    const ObservedUnit& unit = findings.observed->unit;
    const bool has_proven_itself = has_stayed_up(crashes, unit, now);
    if (has_proven_itself && !is_crash_looping(findings, now)) return responds(findings, before);
    if (has_proven_itself)
        return {ConditionStatus::False, StateReason::CrashLoop,
                fmt::format("the unit is active, but failed {} times", findings.backoff().failures)};
    const std::string up = fmt::format("started at {}, Ready after {} s", clock_text(*unit.active_since),
                                       min_ready(crashes).count());
    if (!crashes_again(crashes)) return {ConditionStatus::False, StateReason::JustStarted, up};
    return {ConditionStatus::False, StateReason::CrashLoop,
            fmt::format("crashed {} times; {}", crashes.in_a_row, up)};
}

ConditionValue ready(const ServerFindings& findings, const Condition* before, TimePoint now) {
    const ObservedUnit& unit = findings.observed->unit;
    const bool mounted = findings.observed->stack().has_value();
    if (findings.target == nullptr)
        return {ConditionStatus::False, StateReason::Removing, "not in the manifests any more"};
    if (const Action* const drain = findings.find_code(HoldReason::Draining))
        return {ConditionStatus::False, HoldReason::Draining, drain->reason};
    if (findings.desired()->state == RunState::Stopped) {
        if (is_stopped(*findings.observed))
            return {ConditionStatus::True, StateReason::Stopped, "stopped, as the manifest says"};
        return {ConditionStatus::False, StateReason::NotStopped,
                fmt::format("the unit is {} and {}, the manifest says Stopped", to_string(unit.active),
                            to_string(unit.enablement))};
    }
    switch (unit.active) {
        case ActiveState::Active:
            if (!mounted)
                return {ConditionStatus::False, StateReason::NotMounted,
                        "the unit is active, but nothing is mounted"};
            if (unit.enablement != Enablement::Enabled) {
                return {ConditionStatus::False, StateReason::NotEnabled,
                        fmt::format("the unit runs, but is {}: it would not survive a reboot",
                                    to_string(unit.enablement))};
            }
            return stays_up(findings, before, now);
        case ActiveState::Activating:
            return {ConditionStatus::False, StateReason::Starting, "the unit is starting"};
        case ActiveState::Deactivating:
            return {ConditionStatus::False, StateReason::Stopping, "the unit is stopping"};
        case ActiveState::Failed:
            return {
                ConditionStatus::False, StateReason::UnitFailed,
                unit.result.empty() ? "the unit failed" : fmt::format("the unit failed ({})", unit.result)};
        case ActiveState::Inactive:
            break;
    }
    return {ConditionStatus::False, StateReason::NotRunning,
            "the unit is inactive, the manifest says Running"};
}

/// Something is still to be done, and will be done without help.
ConditionValue reconciling(const ServerFindings& findings) {
    if (findings.suspension != nullptr)
        return {ConditionStatus::False, HoldReason::Suspended, suspension_text(*findings.suspension)};
    if (const Action* action = findings.find_progress()) {
        return {ConditionStatus::True, StateReason::Progressing,
                fmt::format("still to do: {}, {}", to_string(action->verb), action->reason)};
    }
    for (const HoldReason code :
         {HoldReason::BackOff, HoldReason::Building, HoldReason::ReadingSource, HoldReason::CanaryPending,
          HoldReason::StartPending, HoldReason::RolloutPending, HoldReason::RestartPending,
          HoldReason::Scheduled, HoldReason::Degraded, HoldReason::ResetPending, HoldReason::Draining,
          HoldReason::PortInUse}) {
        if (const Action* action = findings.find_code(code))
            return {ConditionStatus::True, code, action->reason};
    }
    const ObservedUnit& unit = findings.observed->unit;
    if (findings.target != nullptr && findings.desired()->state == RunState::Running &&
        unit.active == ActiveState::Activating) {
        return {ConditionStatus::True, StateReason::Starting, "the unit is starting"};
    }
    return {ConditionStatus::False, StateReason::Settled, "nothing is left to do"};
}

/// The server needs help: the last attempt failed, or a person must act.
ConditionValue stalled(const ServerFindings& findings, TimePoint now) {
    const Backoff& backoff = findings.backoff();
    if (is_crash_looping(findings, now)) {
        return {ConditionStatus::True, StateReason::CrashLoop,
                fmt::format("{}; the last time: {}", backoff_text(backoff), backoff.message)};
    }
    // Between two of systemd's own attempts, too, until the server has stayed up.
    const Crashes& crashes = findings.memory->crashes;
    const bool shall_run = findings.target != nullptr && findings.desired()->state == RunState::Running;
    if (shall_run && crashes_again(crashes) && !has_stayed_up(crashes, findings.observed->unit, now))
        return {ConditionStatus::True, StateReason::CrashLoop,
                fmt::format("crashed {} times", crashes.in_a_row)};
    const bool waits = findings.find_code(HoldReason::BackOff) != nullptr;
    if (findings.failure != nullptr && (waits || findings.find_effect() != nullptr)) {
        return {ConditionStatus::True, findings.failure->reason,
                fmt::format("{}: {}", to_string(findings.failed_action->verb), findings.failure->message)};
    }
    if (waits && backoff.failures > 0) return {ConditionStatus::True, backoff.reason, backoff.message};
    for (const HoldReason code :
         {HoldReason::SourceUnavailable, HoldReason::BuildCanceled, HoldReason::NotInstalled,
          HoldReason::ApprovalRequired, HoldReason::Drift, HoldReason::CvarsRefused, HoldReason::Shadowed}) {
        if (const Action* action = findings.find_code(code))
            return {ConditionStatus::True, code, action->reason};
    }
    return {ConditionStatus::False, StateReason::NotStalled, "nothing blocks it"};
}

/// Whether its game runs as fast as it should.
ConditionValue tick_healthy(const ServerFindings& findings) {
    const DesiredServer& desired = *findings.desired();
    const ObservedServer& observed = *findings.observed;
    const auto verdict = keeps_up(findings.memory->tick, observed);
    if (verdict == false) return {ConditionStatus::False, HoldReason::Degraded, slow_text(desired, observed)};
    if (verdict == true)
        return {ConditionStatus::True, StateReason::KeepsUp,
                fmt::format("the game keeps up its {} frames per second", tickrate_of(desired, observed))};
    return {ConditionStatus::Unknown, StateReason::NotMeasured,
            observed.unit.active == ActiveState::Active
                ? "not measured since its start: that takes players, and its console"
                : "the game does not run"};
}

Condition condition(const char* type, ConditionValue verdict, const Condition* previous, TimePoint now,
                    std::int64_t generation) {
    const bool same = previous != nullptr && previous->status == verdict.status;
    return {type,
            verdict.status,
            verdict.reason,
            std::move(verdict.message),
            same ? previous->last_transition : now,
            generation};
}

/// What a game does to its own tree, or does not take of its console, a restart or reset that a person, the
/// schedule or `health.degraded` asks for, and what upstream has say nothing about whether the manifests are
/// applied.
bool is_left(const Action& action) {
    return action.verb != Verb::Refresh && action.code != HoldReason::RefreshFailed &&
           action.code != HoldReason::Shadowed && action.code != HoldReason::CvarsRefused &&
           action.code != HoldReason::RestartPending && action.code != HoldReason::Scheduled &&
           action.code != HoldReason::Degraded && action.code != HoldReason::ResetPending;
}

bool is_applied(const ServerFindings& findings) {
    return std::none_of(findings.remaining.begin(), findings.remaining.end(),
                        [](const Action* action) { return is_left(*action); });
}

/// The server's own restart has failed lately, and not a build that it waits for.
bool restart_failed(const ServerFindings& findings) {
    const Backoff& backoff = findings.backoff();
    return findings.find_code(HoldReason::BackOff) != nullptr && backoff.failures > 0 &&
           (backoff.verb == Verb::Restart || backoff.verb == Verb::Stop || backoff.verb == Verb::Start);
}

/// Since when a change has waited for its rollout. A restart that is planned (onto another port, as a stop
/// and a start) and has not begun, has failed or cannot be made yet is still the same wait: its deadline does
/// not start over.
std::optional<TimePoint> held_since(const ServerFindings& findings, TimePoint now) {
    const std::optional<TimePoint>& since = findings.memory->held_since;
    if (findings.find_code(HoldReason::RolloutPending) != nullptr) return std::min(since.value_or(now), now);
    const bool goes_on =
        restart_failed(findings) || findings.find_code(HoldReason::NotInstalled) != nullptr ||
        findings.find_code(HoldReason::PortInUse) != nullptr ||
        findings.find_verb(Verb::Restart) != nullptr || findings.find_verb(Verb::Stop) != nullptr;
    return goes_on ? since : std::nullopt;
}

/// The same of a stop that waits for players.
std::optional<TimePoint> draining_since(const ServerFindings& findings, TimePoint now) {
    const std::optional<TimePoint>& since = findings.memory->draining_since;
    if (findings.find_code(HoldReason::Draining) != nullptr) return std::min(since.value_or(now), now);
    const bool goes_on = restart_failed(findings) || findings.find_verb(Verb::Stop) != nullptr;
    return goes_on ? since : std::nullopt;
}

/// A stop or deletion that needs approval stays the affair of the revision that asked for it first.
void remember_approval(Remembered& memory, const ServerFindings& findings, const std::string& approved,
                       const std::string& revision) {
    if (const Action* const hold = findings.find_code(HoldReason::ApprovalRequired)) {
        memory.awaits_approval = hold->to_approve;
        memory.awaits_removal = findings.target == nullptr;
    } else if (!must_go_down(findings.target, *findings.observed)) {
        memory.awaits_approval.clear();
        memory.awaits_removal = false;
    } else if (approved == revision) {
        // Still approved if a later revision comes before it is done.
        memory.awaits_approval = approved;
        memory.awaits_removal = findings.target == nullptr;
    }
}

Remembered remember(const ServerFindings& findings, const std::string& approved, const std::string& revision,
                    TimePoint now) {
    Remembered memory = *findings.memory;
    memory.set_aside = findings.observed->set_aside;
    remember_approval(memory, findings, approved, revision);
    memory.held_since = held_since(findings, now);
    memory.draining_since = draining_since(findings, now);
    memory.schedule = findings.target == nullptr
                          ? ScheduleMemory()
                          : next_schedule_memory(findings.desired()->schedule, memory.schedule, now);
    const bool applied = is_applied(findings) && findings.failure == nullptr;
    // Until it has said what it has, a difference is not drift.
    if (applied && findings.target != nullptr && findings.target->rendering &&
        !awaits_cvars(*findings.target, *findings.observed))
        memory.fingerprint = fingerprint(*findings.desired(), findings.target->digest());
    return memory;
}

ServerStatus next_server(const ServerStatus& previous, const ServerFindings& findings,
                         const std::string& approved, const std::string& revision, TimePoint now) {
    ServerStatus next = previous;
    // The specification without the content of its layers: an edited overlay is not a new specification.
    std::string specification = findings.target == nullptr ? "deleted" : fingerprint(*findings.desired(), {});
    if (specification != previous.specification) ++next.generation;
    next.specification = std::move(specification);
    next.remembered = remember(findings, approved, revision, now);
    next.last_attempted_revision = revision;
    if (is_applied(findings)) next.last_applied_revision = revision;
    const auto make = [&](const char* type, ConditionValue verdict) {
        return condition(type, std::move(verdict), previous.find(type), now, next.generation);
    };
    next.conditions = {make("Ready", ready(findings, previous.find("Ready"), now)),
                       make("Reconciling", reconciling(findings)), make("Stalled", stalled(findings, now))};
    if (findings.target != nullptr && findings.desired()->has_console)
        next.conditions.push_back(make("TickHealthy", tick_healthy(findings)));
    return next;
}

}  // namespace

const Condition* ServerStatus::find(const std::string& type) const {
    const auto found = std::find_if(conditions.begin(), conditions.end(),
                                    [&type](const Condition& condition) { return condition.type == type; });
    return found == conditions.end() ? nullptr : &*found;
}

bool says_the_same(const Status& one, const Status& other) {
    const auto all_but_time = [](const Status& status) {
        return std::tie(status.last_attempted_revision, status.last_applied_revision, status.source_error,
                        status.servers, status.overlays, status.refreshes, status.tuned, status.builds);
    };
    return all_but_time(one) == all_but_time(other);
}

Status next_status(const Status& previous, const Target& target, const Observed& observed,
                   const Memory& memory, const Intent& intent, const Plan& attempted,
                   std::span<const Outcome> outcomes, const Plan& remaining) {
    static const ServerStatus unknown_server;
    static const Remembered nothing;
    const std::string& revision = target.revision();
    Status next;
    next.source_error = previous.source_error;
    next.last_attempted_revision = revision;
    const bool applied = std::none_of(remaining.actions.begin(), remaining.actions.end(), is_left);
    next.last_applied_revision = applied ? revision : previous.last_applied_revision;
    next.last_pass = observed.now;
    for (auto& [name, findings] : gather(target, observed, attempted, outcomes, remaining)) {
        const auto found = previous.servers.find(name);
        const ServerStatus& before = found == previous.servers.end() ? unknown_server : found->second;
        const Remembered* const remembered = memory.find(name);
        findings.memory = remembered == nullptr ? &nothing : remembered;
        findings.all_targets = &target;
        findings.host = &observed;
        findings.suspension = suspension_of(intent.suspended, name, observed.now);
        next.servers.emplace(name, next_server(before, findings, intent.approved, revision, observed.now));
    }
    next.overlays = memory.overlays;
    next.refreshes = memory.refreshes;
    next.tuned = memory.tuned;
    const bool is_tuned =
        std::none_of(remaining.actions.begin(), remaining.actions.end(),
                     [](const Action& action) { return action.subject.kind == Kind::Host; });
    if (is_tuned) next.tuned.applied = tuning_hash(target.desired->tuning);
    for (const auto& [name, overlay] : target.overlays) {
        if (overlay.build && !overlay.build->record.invocation.empty())
            next.builds.emplace(name, overlay.build->record);
    }
    return next;
}

}  // namespace left4me
