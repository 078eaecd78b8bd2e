#include "reconciler/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

namespace left4me {

Schedule::Schedule(const Plan& plan)
    : plan_(&plan),
      states_(plan.actions.size(), State::Waiting),
      missing_(plan.actions.size(), 0),
      dependents_(plan.actions.size()),
      outcomes_(plan.actions.size()) {
    for (ActionIndex index = 0; index < plan.actions.size(); ++index) {
        const Action& action = plan.actions[index];
        outcomes_[index] = {index, false, FailureKind::NoAnswer, "the host never reported how it ended",
                            &plan, {}};
        if (!is_effect(action.verb)) {
            states_[index] = State::Ended;
            continue;
        }
        missing_[index] = action.after.size();
        for (const ActionIndex before : action.after) dependents_[before].push_back(index);
        if (action.after.empty()) {
            states_[index] = State::Ready;
            ready_.push_back(index);
        }
    }
}

std::vector<ActionIndex> Schedule::take_ready() {
    std::vector<ActionIndex> taken;
    taken.swap(ready_);
    std::sort(taken.begin(), taken.end());
    for (const ActionIndex index : taken) states_[index] = State::Begun;
    under_way_ += taken.size();
    return taken;
}

void Schedule::finished(const Outcome& outcome) {
    assert(outcome.action < states_.size());
    if (states_[outcome.action] != State::Begun) return;
    states_[outcome.action] = State::Ended;
    outcomes_[outcome.action] = outcome;
    --under_way_;
    if (!outcome.done) {
        fail_dependents(outcome.action);
        return;
    }
    for (const ActionIndex next : dependents_[outcome.action]) {
        if (--missing_[next] > 0 || states_[next] != State::Waiting) continue;
        states_[next] = State::Ready;
        ready_.push_back(next);
    }
}

/// Also dependents of dependents; iterative, because a chain may be as long as the plan.
void Schedule::fail_dependents(ActionIndex failed) {
    std::vector<ActionIndex> pending{failed};
    while (!pending.empty()) {
        const ActionIndex cause = pending.back();
        pending.pop_back();
        const Action& before = plan_->actions[cause];
        for (const ActionIndex next : dependents_[cause]) {
            if (states_[next] != State::Waiting) continue;
            states_[next] = State::Ended;
            const Outcome& first = outcomes_[failed];
            outcomes_[next] = {next,
                               false,
                               has_failed(first) ? FailureKind::PrerequisiteFailed : first.reason,
                               fmt::format("not begun, because {} {} failed first: {}",
                                           to_string(before.verb), to_string(before.subject), first.message),
                               plan_,
                               {}};
            pending.push_back(next);
        }
    }
}

void Schedule::drop_waiting() {
    for (State& state : states_) {
        if (state == State::Waiting || state == State::Ready) state = State::Ended;
    }
    ready_.clear();
}

bool Schedule::done() const { return ready_.empty() && under_way_ == 0; }

std::vector<Outcome> Schedule::outcomes() const {
    std::vector<Outcome> effects;
    for (const Outcome& outcome : outcomes_) {
        if (is_effect(plan_->actions[outcome.action].verb)) effects.push_back(outcome);
    }
    return effects;
}

}  // namespace left4me
