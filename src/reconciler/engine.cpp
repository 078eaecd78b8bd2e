#include "reconciler/engine.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "reconciler/apply_outcomes.hpp"
#include "reconciler/canary.hpp"
#include "reconciler/wake.hpp"

namespace left4me {
namespace {

/// systemd is stopping them; a later step sees that they have stopped.
std::set<std::string> stopping_servers(const Observed& observed) {
    std::set<std::string> names;
    for (const auto& [name, server] : observed.servers) {
        if (server.unit.active == ActiveState::Deactivating) names.insert(name);
    }
    return names;
}

}  // namespace

void append(CompletedActions& to, CompletedActions more) {
    for (Outcome& outcome : more.outcomes) {
        outcome.action += to.plan.actions.size();
        to.outcomes.push_back(std::move(outcome));
    }
    std::move(more.plan.actions.begin(), more.plan.actions.end(), std::back_inserter(to.plan.actions));
}

Plan part_beside(const Plan& plan, const std::set<Subject>& worked_on,
                 const std::set<std::string>& stopping) {
    Plan part;
    part.revision = plan.revision;
    std::vector<std::optional<ActionIndex>> place(plan.actions.size());
    for (ActionIndex index = 0; index < plan.actions.size(); ++index) {
        const Action& action = plan.actions[index];
        if (!is_effect(action.verb) || worked_on.contains(action.subject)) continue;
        if (action.verb == Verb::Prune && !worked_on.empty()) continue;
        const bool is_unit = action.subject.kind == Kind::Server && waits_for_unit(action.verb);
        if (is_unit && stopping.contains(action.subject.name)) continue;
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

std::expected<StepResult, std::string> Engine::observe(const Request& request) {
    StepResult result;
    auto units = host_.observe_units();
    if (!units) return std::unexpected(units.error());
    result.target = resolve(request.desired, host_.read_inputs(*request.desired, request.intent.rollbacks));
    result.target.restarts = servers_of(request.intent.restarts);
    result.target.keep_artifacts = request.keep_artifacts;
    std::expected<Observed, std::string> observed = host_.observe(result.target, *std::move(units));
    if (!observed) return std::unexpected(observed.error());
    result.observed = *std::move(observed);
    result.ended = take_ended(worked_on());
    result.news = std::exchange(news_, {});
    assess(request, result);
    return result;
}

void Engine::assess(const Request& request, StepResult& result) {
    const Target& target = result.target;
    const Observed& observed = result.observed;
    const CompletedActions& ended = result.ended;
    result.ended.plan.revision = target.revision();
    Memory memory = load_memory(status_);
    for (const Subject& subject : worked_on()) {
        if (subject.kind == Kind::Server) memory.under_way.insert(subject.name);
    }
    // A person wants it tried again.
    for (auto& [name, remembered] : memory.servers) {
        if (request.intent.retries(remembered.trial.failed_at)) forget_failure(remembered.trial);
    }
    apply_outcomes(memory, target, observed, ended.plan, ended.outcomes);
    result.difference = plan(target, observed, memory, request.intent);
    Status next = next_status(status_, target, observed, memory, request.intent, ended.plan, ended.outcomes,
                              result.difference);
    next.source_error = request.source_error;
    result.before = std::exchange(status_, std::move(next));
    result.wake =
        earliest_wake(target, request.intent, status_, result.difference, observed.now, observed.local);
}

std::expected<StepResult, std::string> Engine::step(const Request& request) {
    auto result = observe(request);
    if (!result) return result;
    begin(part_beside(result->difference, worked_on(), stopping_servers(result->observed)));
    return result;
}

void Engine::begin(Plan plan) {
    if (plan.actions.empty()) return;
    in_flight_.push_back(std::make_unique<InFlight>(std::move(plan)));
    InFlight& flight = *in_flight_.back();
    host_.begin(flight.plan, flight.schedule.take_ready());
}

bool reached_no_unit(const CompletedActions& ended) {
    return !ended.outcomes.empty() &&
           std::all_of(ended.outcomes.begin(), ended.outcomes.end(), [](const Outcome& outcome) {
               return !outcome.done && (is_helper_trouble(outcome.reason) ||
                                        outcome.reason == FailureKind::PrerequisiteFailed);
           });
}

bool Engine::poll_completions() {
    bool any = false;
    for (auto outcomes = host_.poll_completions(); !outcomes.empty(); outcomes = host_.poll_completions()) {
        any = true;
        note(outcomes);
    }
    return any;
}

void Engine::note(const std::vector<Outcome>& outcomes) {
    for (const Outcome& outcome : outcomes) {
        const auto flight = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const auto& candidate) {
            return &candidate->plan == outcome.plan;
        });
        if (flight == in_flight_.end()) continue;
        (*flight)->schedule.finished(outcome);
        note(**flight, outcome);
    }
    for (const auto& flight : in_flight_) {
        const std::vector<ActionIndex> ready = flight->schedule.take_ready();
        if (!ready.empty()) host_.begin(flight->plan, ready);
    }
    std::erase_if(in_flight_, [this](const std::unique_ptr<InFlight>& flight) {
        if (!flight->schedule.done()) return false;
        for (const Outcome& outcome : flight->schedule.outcomes()) {
            if (!outcome.done && outcome.reason == FailureKind::PrerequisiteFailed) note(*flight, outcome);
        }
        return true;
    });
}

void Engine::note(const InFlight& flight, const Outcome& outcome) {
    CompletedActions ended{{{}, {flight.plan.actions[outcome.action]}}, {outcome}};
    ended.plan.actions.front().after.clear();
    ended.outcomes.front().action = 0;
    ended.outcomes.front().plan = nullptr;
    append(news_, ended);
    append(ended_, std::move(ended));
}

CompletedActions Engine::take_ended(const std::set<Subject>& still_at_it) {
    CompletedActions all = std::exchange(ended_, {});
    CompletedActions taken;
    for (Outcome& outcome : all.outcomes) {
        Action& action = all.plan.actions[outcome.action];
        CompletedActions& to = still_at_it.contains(action.subject) ? ended_ : taken;
        outcome.action = to.plan.actions.size();
        to.plan.actions.push_back(std::move(action));
        to.outcomes.push_back(std::move(outcome));
    }
    return taken;
}

std::set<Subject> Engine::worked_on() const {
    std::set<Subject> subjects;
    for (const Action& action : open_actions()) subjects.insert(action.subject);
    return subjects;
}

std::vector<Action> Engine::open_actions() const {
    std::vector<Action> open;
    for (const auto& flight : in_flight_) {
        for (ActionIndex index = 0; index < flight->plan.actions.size(); ++index) {
            if (flight->schedule.is_open(index)) open.push_back(flight->plan.actions[index]);
        }
    }
    return open;
}

bool Engine::changes_files() const {
    return std::any_of(in_flight_.begin(), in_flight_.end(), [](const auto& flight) {
        const std::vector<Action>& actions = flight->plan.actions;
        for (ActionIndex index = 0; index < actions.size(); ++index) {
            if (flight->schedule.is_under_way(index) && !waits_for_unit(actions[index].verb)) return true;
        }
        return false;
    });
}

void Engine::drop_waiting() {
    for (const auto& flight : in_flight_) flight->schedule.drop_waiting();
}

}  // namespace left4me
