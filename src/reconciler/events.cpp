#include "reconciler/events.hpp"

#include <fmt/format.h>

namespace left4me {
namespace {

const char* past(Verb verb) {
    switch (verb) {
        case Verb::Build:
            return "Built";
        case Verb::Render:
            return "Rendered";
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
        case Verb::Forget:
            return "Forgotten";
        case Verb::Collect:
            return "Collected";
        case Verb::Hold:
        case Verb::Report:
            break;
    }
    return "Done";
}

/// "StartFailed", "ResetFailedFailed" would be silly.
std::string failed(Verb verb) {
    std::string word = verb == Verb::ResetFailed ? "Reset" : to_string(verb);
    word.front() = static_cast<char>(word.front() & ~0x20);
    return word + "Failed";
}

const ServerStatus* find(const Status& status, const std::string& name) {
    const auto found = status.servers.find(name);
    return found == status.servers.end() ? nullptr : &found->second;
}

class Telling {
  public:
    Telling(const Status& before, const std::string& revision, const Intent& intent, const Status& after)
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
            add(subject, false, past(action.verb), action.reason);
            events_.back().actor = action.by;
            events_.back().drift = action.drift;
            if (events_.back().drift) events_.back().right_at = before_.last_pass;
            return;
        }
        // What was never begun did not happen, and what fails as it did the last time is no news.
        if (outcome.reason == FailureKind::PrerequisiteFailed || is_known(action, outcome)) return;
        add(subject, true, failed(action.verb),
            fmt::format("{} ({})", outcome.message, to_string(outcome.reason)));
    }

    void conditions() {
        for (const auto& [name, status] : after_.servers) {
            const ServerStatus* const earlier = find(before_, name);
            ready(name, status, earlier);
            stalled(name, status, earlier);
            waiting(name, status, earlier);
            set_aside(name, status, earlier);
        }
    }

    std::vector<Event> take() { return std::move(events_); }

  private:
    void add(std::string subject, bool warning, std::string reason, std::string message) {
        events_.push_back({.at = after_.last_pass.value_or(TimePoint{}),
                           .subject = std::move(subject),
                           .warning = warning,
                           .reason = std::move(reason),
                           .message = std::move(message),
                           .revision = revision_,
                           .actor = {},
                           .drift = false,
                           .right_at = {}});
    }

    bool is_known(const Action& action, const Outcome& outcome) const {
        const ServerStatus* const earlier =
            action.subject.kind == SubjectKind::Server ? find(before_, action.subject.name) : nullptr;
        const Condition* const stalled = earlier == nullptr ? nullptr : earlier->find("Stalled");
        return stalled != nullptr && stalled->status == ConditionStatus::True &&
               stalled->reason == ConditionReason(outcome.reason) &&
               stalled->message == fmt::format("{}: {}", to_string(action.verb), outcome.message);
    }

    static bool same(const Condition& now, const Condition* earlier) {
        return earlier != nullptr && earlier->status == now.status &&
               (now.status == ConditionStatus::False || earlier->reason == now.reason);
    }

    void ready(const std::string& name, const ServerStatus& status, const ServerStatus* earlier) {
        const Condition* const now = status.find("Ready");
        const Condition* const then = earlier == nullptr ? nullptr : earlier->find("Ready");
        if (now == nullptr || (then != nullptr && then->status == now->status)) return;
        const bool is_ready = now->status == ConditionStatus::True;
        constexpr ConditionReason starting = StateReason::Starting;
        constexpr ConditionReason stopping = StateReason::Stopping;
        const bool comes_up = now->reason == starting || now->reason == stopping || then == nullptr;
        add("server/" + name, !is_ready && !comes_up, is_ready ? "Ready" : "NotReady", now->message);
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

    /// What waits by intention. Who suspends or resumes tells of it, but a suspension may end by itself.
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
                               now->reason == ConditionReason(HoldReason::RestartPending) ||
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
    Telling telling(before, revision, intent, after);
    telling.source();
    for (const Outcome& outcome : outcomes) telling.outcome(attempted.actions[outcome.action], outcome);
    telling.conditions();
    return telling.take();
}

}  // namespace left4me
