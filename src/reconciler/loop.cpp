#include "reconciler/loop.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "reconciler/memory.hpp"
#include "reconciler/wake.hpp"

namespace left4me {

Plan part_beside(const Plan& plan, const std::set<Subject>& worked_on) {
    Plan part;
    part.revision = plan.revision;
    std::vector<std::optional<ActionIndex>> place(plan.actions.size());
    for (ActionIndex index = 0; index < plan.actions.size(); ++index) {
        const Action& action = plan.actions[index];
        if (!is_effect(action.verb) || worked_on.contains(action.subject)) continue;
        if (action.verb == Verb::Collect && !worked_on.empty()) continue;
        if (std::any_of(action.after.begin(), action.after.end(),
                        [&](ActionIndex before) { return !place[before]; })) {
            continue;
        }
        place[index] = part.actions.size();
        part.actions.push_back(action);
        for (ActionIndex& before : part.actions.back().after) before = *place[before];
    }
    return part;
}

std::expected<StepResult, std::string> Loop::step(std::shared_ptr<const Desired> desired,
                                                  const std::string& source_error) {
    std::expected<Observed, std::string> observed = host_.observe(*desired);
    if (!observed) return std::unexpected(observed.error());
    StepResult result;
    const std::set<Subject> still_at_it = worked_on();
    result.ended = take_ended(still_at_it);
    result.ended.plan.revision = desired->revision;
    recall(*observed, status_);
    learn(*observed, *desired, result.ended.plan, result.ended.outcomes);
    result.difference = plan(*desired, *observed);
    Status next = next_status(status_, *desired, *observed, result.ended.plan, result.ended.outcomes,
                              result.difference);
    next.source_error = source_error;
    result.before = std::exchange(status_, std::move(next));
    result.wake = earliest_wake(*desired, status_, result.difference, observed->now);
    result.now = observed->now;
    std::set<Subject> left_alone = still_at_it;
    // systemd is at it: a start now would cancel the stop that somebody waits for. Its end is seen in a later
    // step.
    for (const auto& [name, server] : observed->servers) {
        if (server.unit.active == ActiveState::Deactivating) left_alone.insert({SubjectKind::Server, name});
    }
    begin(std::move(desired), part_beside(result.difference, left_alone));
    return result;
}

void Loop::begin(std::shared_ptr<const Desired> desired, Plan plan) {
    if (plan.actions.empty()) return;
    rounds_.push_back(std::make_unique<Round>(std::move(desired), std::move(plan)));
    Round& round = *rounds_.back();
    host_.begin(*round.desired, round.plan, round.schedule.take_ready());
}

bool Loop::collect() {
    bool any = false;
    for (auto outcomes = host_.collect(); !outcomes.empty(); outcomes = host_.collect()) {
        any = true;
        for (const Outcome& outcome : outcomes) {
            const auto round = std::find_if(rounds_.begin(), rounds_.end(), [&](const auto& candidate) {
                return &candidate->plan == outcome.plan;
            });
            if (round == rounds_.end()) continue;
            (*round)->schedule.finished(outcome);
            note(**round, outcome);
        }
        for (const auto& round : rounds_) {
            const std::vector<ActionIndex> ready = round->schedule.take_ready();
            if (!ready.empty()) host_.begin(*round->desired, round->plan, ready);
        }
        std::erase_if(rounds_, [this](const std::unique_ptr<Round>& round) {
            if (!round->schedule.done()) return false;
            for (const Outcome& outcome : round->schedule.outcomes()) {
                if (outcome.reason == "PrerequisiteFailed") note(*round, outcome);
            }
            return true;
        });
    }
    return any;
}

void Loop::note(const Round& round, const Outcome& outcome) {
    ended_.outcomes.push_back(outcome);
    ended_.outcomes.back().action = ended_.plan.actions.size();
    ended_.outcomes.back().plan = nullptr;
    ended_.plan.actions.push_back(round.plan.actions[outcome.action]);
    ended_.plan.actions.back().after.clear();
}

Ended Loop::take_ended(const std::set<Subject>& still_at_it) {
    Ended all = std::exchange(ended_, {});
    Ended taken;
    for (Outcome& outcome : all.outcomes) {
        Action& action = all.plan.actions[outcome.action];
        Ended& to = still_at_it.contains(action.subject) ? ended_ : taken;
        outcome.action = to.plan.actions.size();
        to.plan.actions.push_back(std::move(action));
        to.outcomes.push_back(std::move(outcome));
    }
    return taken;
}

std::set<Subject> Loop::worked_on() const {
    std::set<Subject> subjects;
    for (const auto& round : rounds_) {
        for (ActionIndex index = 0; index < round->plan.actions.size(); ++index) {
            if (round->schedule.is_open(index)) subjects.insert(round->plan.actions[index].subject);
        }
    }
    return subjects;
}

std::size_t Loop::open_actions() const {
    std::size_t open = 0;
    for (const auto& round : rounds_) {
        for (ActionIndex index = 0; index < round->plan.actions.size(); ++index) {
            if (round->schedule.is_open(index)) ++open;
        }
    }
    return open;
}

}  // namespace left4me
