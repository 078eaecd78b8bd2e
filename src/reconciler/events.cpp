#include "reconciler/events.hpp"

#include <fmt/format.h>

#include "reconciler/canary.hpp"

namespace left4me {
namespace {

const char* past(Verb verb) {
    switch (verb) {
        case Verb::Tune:
            return "Tuned";
        case Verb::Build:
            return "Built";
        case Verb::Cancel:
            return "BuildCanceled";
        case Verb::Refresh:
            return "Refreshed";
        case Verb::Render:
            return "Rendered";
        case Verb::Revert:
            return "Reverted";
        case Verb::Disable:
            return "Disabled";
        case Verb::Stop:
            return "Stopped";
        case Verb::ResetFailed:
            return "ResetFailed";
        case Verb::Enable:
            return "Enabled";
        case Verb::Start:
            return "Started";
        case Verb::Restart:
            return "Restarted";
        case Verb::Attach:
            return "Attached";
        case Verb::Purge:
            return "Purged";
        case Verb::Unmanage:
            return "Unmanaged";
        case Verb::Prune:
            return "Pruned";
        case Verb::Warn:
            return "Warned";
        case Verb::Command:
            return "Commanded";
        case Verb::Set:
            return "Set";
        case Verb::Hold:
        case Verb::Report:
            break;
    }
    return "Done";
}

/// "StartFailed"; but not "ResetFailedFailed".
std::string failed(Verb verb) {
    std::string word = verb == Verb::ResetFailed ? "Reset" : to_string(verb);
    word.front() = static_cast<char>(word.front() & ~0x20);
    return word + "Failed";
}

const ServerStatus* find(const Status& status, const std::string& name) {
    const auto found = status.servers.find(name);
    return found == status.servers.end() ? nullptr : &found->second;
}

class EventBuilder {
  public:
    EventBuilder(const Status& before, const std::string& revision, const Intent& intent, const Status& after)
        : before_(before), revision_(revision), intent_(intent), after_(after) {}

    void source() {
        if (!revision_.empty() && after_.last_attempted_revision != before_.last_attempted_revision)
            add("source", false, "NewRevision",
                before_.last_attempted_revision.empty()
                    ? "the first revision that is followed"
                    : fmt::format("followed from now on, after {}", before_.last_attempted_revision));
        if (after_.source_error == before_.source_error) return;
        if (after_.source_error.empty()) {
            add("source", false, "SourceRecovered", "the source can be used again");
        } else {
            add("source", true, "SourceRejected", after_.source_error);
        }
    }

    void outcome(const Action& action, const Outcome& outcome) {
        const std::string subject = to_string(action.subject);
        if (outcome.done) {
            const bool only_begun = action.verb == Verb::Build && is_built_by_unit(*action.source);
            if (only_begun && failed_before(action.subject.name)) return;
            const bool is_reset = action.verb == Verb::Purge && !action.by.empty();
            add(subject, false,
                only_begun ? "BuildStarted"
                : is_reset ? "Reset"
                           : past(action.verb),
                action.reason);
            events_.back().actor = action.by;
            events_.back().drift = action.drift;
            if (events_.back().drift) events_.back().right_at = before_.last_pass;
            return;
        }
        if (outcome.reason == FailureKind::Occupied) {
            add(subject, false, "Postponed",
                fmt::format("{} not made: {}", to_string(action.verb), outcome.message));
            return;
        }
        if (outcome.reason == FailureKind::NotSaid) {
            const std::string command =
                action.verb == Verb::Command ? fmt::format("{}: ", action.console->text) : "";
            add(subject, true, "Not" + std::string(past(action.verb)), command + outcome.message);
            return;
        }
        // An action that never began is no event, and a failure that repeats with the same message is not
        // recorded again.
        if (outcome.reason == FailureKind::PrerequisiteFailed || is_known(action, outcome)) return;
        add(subject, true, failed(action.verb),
            fmt::format("{} ({})", outcome.message, to_string(outcome.reason)));
    }

    void conditions() {
        for (const auto& [name, status] : after_.servers) {
            const ServerStatus* const earlier = find(before_, name);
            const bool has_crashed = crashed(name, status, earlier);
            ready(name, status, earlier, has_crashed);
            stalled(name, status, earlier);
            waiting(name, status, earlier);
            set_aside(name, status, earlier);
            trial(name, status, earlier);
        }
    }

    /// How builds in units ended.
    void builds() {
        for (const auto& [name, record] : after_.builds) {
            const auto earlier = before_.builds.find(name);
            if (earlier != before_.builds.end() && earlier->second.invocation == record.invocation) continue;
            const auto& failure = record.failure;
            const std::string subject = to_string(Subject{record.kind, name});
            const std::string after =
                record.took.count() == 0
                    ? std::string()
                    : fmt::format(", after {:.1f} s", std::chrono::duration<double>(record.took).count());
            if (failure) {
                // What fails as it did the last time is no news.
                const bool known = earlier != before_.builds.end() && earlier->second.failure &&
                                   earlier->second.failure->kind == failure->kind &&
                                   earlier->second.failure->message == failure->message;
                if (!known)
                    add(subject, true, "BuildFailed",
                        fmt::format("{} ({}){}", failure->message, to_string(failure->kind), after));
                continue;
            }
            if (!record.artifact) continue;
            const std::string& digest = record.artifact->digest;
            const bool same = earlier != before_.builds.end() && earlier->second.artifact &&
                              earlier->second.artifact->digest == digest;
            add(subject, false, "Built",
                fmt::format("{} {:.4}{}", same ? "the content is still that of artifact" : "artifact", digest,
                            after));
        }
    }

    std::vector<Event> take() { return std::move(events_); }

  private:
    void add(std::string subject, bool warning, std::string reason, std::string message) {
        const TimePoint now = after_.last_pass.value_or(TimePoint{});
        events_.push_back({.at = now,
                           .subject = std::move(subject),
                           .warning = warning,
                           .reason = std::move(reason),
                           .message = std::move(message),
                           .revision = revision_,
                           .actor = {},
                           .drift = false,
                           .right_at = {},
                           .last = now});
    }

    bool is_known(const Action& action, const Outcome& outcome) const {
        if (action.verb == Verb::Refresh) {
            const auto earlier = before_.refreshes.find(action.subject.name);
            return earlier != before_.refreshes.end() && earlier->second.backoff.failures > 0 &&
                   earlier->second.backoff.reason == outcome.reason;
        }
        const ServerStatus* const earlier =
            action.subject.kind == Kind::Server ? find(before_, action.subject.name) : nullptr;
        const Condition* const stalled = earlier == nullptr ? nullptr : earlier->find("Stalled");
        return stalled != nullptr && stalled->status == ConditionStatus::True &&
               stalled->reason == ConditionReason(outcome.reason) &&
               stalled->message == fmt::format("{}: {}", to_string(action.verb), outcome.message);
    }

    /// Its next try is no news; how that ends is.
    bool failed_before(const std::string& overlay) const {
        const auto earlier = before_.builds.find(overlay);
        return earlier != before_.builds.end() && earlier->second.failure;
    }

    static bool same(const Condition& now, const Condition* earlier) {
        return earlier != nullptr && earlier->status == now.status &&
               (now.status == ConditionStatus::False || earlier->reason == now.reason);
    }

    /// What it ended with, the recorder looks up.
    bool crashed(const std::string& name, const ServerStatus& status, const ServerStatus* earlier) {
        static const Crashes none;
        const Crashes& now = status.remembered.crashes;
        const Crashes& then = earlier == nullptr ? none : earlier->remembered.crashes;
        if (!now.last_at || now.last_at == then.last_at) return false;
        add("server/" + name, true, crashed_reason, "the game ended by itself");
        events_.back().count = now.latest;
        events_.back().crash = true;
        events_.back().up_since = then.active_since;
        return true;
    }

    /// A unit that is on its way, up or down: what becomes of it will be told.
    static bool is_on_its_way(const ConditionReason& reason) {
        return reason == ConditionReason(StateReason::Starting) ||
               reason == ConditionReason(StateReason::JustStarted) ||
               reason == ConditionReason(StateReason::CrashLoop) ||
               reason == ConditionReason(StateReason::Stopping);
    }

    void ready(const std::string& name, const ServerStatus& status, const ServerStatus* earlier,
               bool has_crashed) {
        const Condition* const now = status.find("Ready");
        const Condition* const then = earlier == nullptr ? nullptr : earlier->find("Ready");
        if (now == nullptr) return;
        if (now->status == ConditionStatus::True) {
            if (then == nullptr || then->status != ConditionStatus::True)
                add("server/" + name, false, "Ready", now->message);
            return;
        }
        if (has_crashed || is_on_its_way(now->reason)) return;
        if (then == nullptr || then->status != now->status || is_on_its_way(then->reason))
            add("server/" + name, then != nullptr, "NotReady", now->message);
    }

    void stalled(const std::string& name, const ServerStatus& status, const ServerStatus* earlier) {
        const Condition* const now = status.find("Stalled");
        const Condition* const then = earlier == nullptr ? nullptr : earlier->find("Stalled");
        if (now == nullptr || same(*now, then)) return;
        if (now->status == ConditionStatus::True) {
            add("server/" + name, true, to_string(now->reason), now->message);
        } else if (then != nullptr && then->status == ConditionStatus::True) {
            add("server/" + name, false, "Recovered",
                fmt::format("not stalled any more ({})", to_string(then->reason)));
        }
    }

    void set_aside(const std::string& name, const ServerStatus& status, const ServerStatus* earlier) {
        const std::string& now = status.remembered.set_aside;
        if (now.empty() || (earlier != nullptr && earlier->remembered.set_aside == now)) return;
        add("server/" + name, true, "SetAside", now);
    }

    void trial(const std::string& name, const ServerStatus& status, const ServerStatus* earlier) {
        const Trial& now = status.remembered.trial;
        if (!has_failed(now, now.failed)) return;
        if (earlier != nullptr && has_failed(earlier->remembered.trial, now.failed)) return;
        add("server/" + name, true, "CanaryFailed",
            fmt::format("{}: no other running server of its Blueprint gets the change", now.failure));
    }

    /// Intended waits. Suspending and resuming are recorded by the verbs, but a suspension may end by itself.
    void waiting(const std::string& name, const ServerStatus& status, const ServerStatus* earlier) {
        constexpr ConditionReason suspended = HoldReason::Suspended;
        const Condition* const now = status.find("Reconciling");
        const Condition* const then = earlier == nullptr ? nullptr : earlier->find("Reconciling");
        if (now == nullptr) return;
        const bool was_suspended = then != nullptr && then->reason == suspended;
        const bool by_itself = intent_.suspended.all || intent_.suspended.servers.contains(name);
        if (was_suspended && now->reason != suspended && by_itself)
            add("server/" + name, false, "Resumed", "the time of its suspension is over");
        const bool waits_now = now->reason == ConditionReason(HoldReason::RolloutPending) ||
                               now->reason == ConditionReason(HoldReason::CanaryPending) ||
                               now->reason == ConditionReason(HoldReason::StartPending) ||
                               now->reason == ConditionReason(HoldReason::RestartPending) ||
                               now->reason == ConditionReason(HoldReason::Scheduled) ||
                               now->reason == ConditionReason(HoldReason::ResetPending) ||
                               now->reason == ConditionReason(HoldReason::PortInUse);
        if (waits_now && (then == nullptr || then->reason != now->reason))
            add("server/" + name, false, to_string(now->reason), now->message);
    }

    const Status& before_;
    const std::string& revision_;
    const Intent& intent_;
    const Status& after_;
    std::vector<Event> events_;
};

}  // namespace

std::vector<Event> events_of(const Status& before, const std::string& revision, const Intent& intent,
                             const Plan& attempted, std::span<const Outcome> outcomes, const Status& after) {
    EventBuilder builder(before, revision, intent, after);
    builder.source();
    // What is written and started after a build is told after it.
    const auto outcomes_of_builds = [&](bool wanted) {
        for (const Outcome& outcome : outcomes) {
            const Action& action = attempted.actions[outcome.action];
            if ((action.verb == Verb::Build) == wanted) builder.outcome(action, outcome);
        }
    };
    outcomes_of_builds(true);
    builder.builds();
    outcomes_of_builds(false);
    builder.conditions();
    return builder.take();
}

}  // namespace left4me
