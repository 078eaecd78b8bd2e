#include <fmt/format.h>

#include <algorithm>

#include "reconciler/deadline.hpp"
#include "reconciler/engine.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"
#include "support/worlds.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

using Failure = std::optional<std::string>;

Failure failure(const Case& generated, const RunResult& pass, const std::string& what) {
    std::string outcomes;
    for (const Outcome& outcome : pass.ended.outcomes) {
        if (!outcome.done)
            outcomes += fmt::format("  {} failed: {} {}\n", outcome.action, to_string(outcome.reason),
                                    outcome.message);
    }
    return fmt::format("{}\n{}plan:\n{}{}remaining:\n{}", what, describe(generated), describe(pass.planned),
                       outcomes, describe(pass.remaining));
}

bool keeps_order(const Plan& plan) {
    for (ActionIndex index = 0; index < plan.actions.size(); ++index) {
        for (const ActionIndex before : plan.actions[index].after) {
            if (before >= index || !is_effect(plan.actions[before].verb)) return false;
        }
        if (plan.actions[index].reason.empty()) return false;
    }
    return true;
}

bool has(const Plan& plan, Verb verb, const Subject& subject) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [&](const Action& action) {
        return action.verb == verb && action.subject == subject;
    });
}

/// Nothing is remounted for a server that is taken down anyway.
bool attaches_in_vain(const Plan& plan) {
    return std::any_of(plan.actions.begin(), plan.actions.end(), [&plan](const Action& action) {
        return action.verb == Verb::Attach &&
               (has(plan, Verb::Stop, action.subject) || has(plan, Verb::Restart, action.subject));
    });
}

/// The actions that may remain after a pass without failures, because the world itself causes them.
bool may_remain(const Case& generated, const RunResult& pass, const Action& action) {
    const Observed& observed = pass.observed;
    const std::string& name = action.subject.name;
    const bool overlay = action.subject.kind == Kind::Overlay;
    if (overlay && action.code == HoldReason::RolledBack) return generated.intent.rollbacks.contains(name);
    if (overlay) return action.code == HoldReason::SourceUnavailable && !generated.world.sources.at(name);
    const ObservedServer& server = observed.servers.at(name);
    if (action.code == HoldReason::Suspended)
        return suspension_of(generated.intent.suspended, name, observed.now) != nullptr;
    const auto memory = generated.previous.servers.find(name);
    const bool failed_before =
        memory != generated.previous.servers.end() && memory->second.remembered.backoff.failures > 0;
    if (action.code == HoldReason::BackOff && failed_before) return true;
    const auto named = generated.desired.servers.find(name);
    if (action.code == HoldReason::Orphan) return named == generated.desired.servers.end() && !server.managed;
    if (action.code == HoldReason::ApprovalRequired) return generated.intent.approved.empty();
    if (named == generated.desired.servers.end()) return false;
    const DesiredServer& desired = named->second;
    const bool running = desired.state == RunState::Running;
    if (action.code == HoldReason::SourceUnavailable) return !pass.target.find(name)->rendering;
    if (action.code == HoldReason::NotInstalled) return running && !observed.installation;
    if (action.code == HoldReason::CanaryPending) return running && desired.blueprint_rollout.canary > 0;
    if (action.code == HoldReason::Degraded)
        return running && desired.health.degraded.action == DegradedAction::RestartWhenEmpty;
    if (action.code == HoldReason::Scheduled) return running && !desired.schedule.empty();
    if (action.code == HoldReason::RolloutPending && desired.blueprint_rollout.max_unavailable)
        return running;
    if (action.code == HoldReason::RolloutPending) {
        return running && desired.rollout.policy != RolloutPolicy::Immediate &&
               server.unit.active == ActiveState::Active;
    }
    if (action.code == HoldReason::Draining)
        return !running && drain_of(generated.intent.stops, name) != nullptr;
    if (action.code == HoldReason::ResetPending) return running && generated.intent.resets.contains(name);
    if (action.code == HoldReason::RestartPending) {
        const RestartRequest* const request = request_for(generated.intent.restarts, name);
        return running && request != nullptr &&
               (request->when_empty || request->staggered || desired.drift == DriftPolicy::Report);
    }
    if (action.code == HoldReason::Drift) return desired.drift == DriftPolicy::Report;
    // While its target is unknown, or a canary has not proven it, it may be started on the port of its last
    // rendering.
    const bool is_old = !pass.target.find(name)->rendering || desired.blueprint_rollout.canary > 0;
    const auto old_port =
        is_old && server.current_rendering ? server.current_rendering->port : std::optional(desired.port);
    const bool port_is_held =
        std::any_of(observed.servers.begin(), observed.servers.end(), [&](const auto& other) {
            const auto& held = other.second.mounted_port;
            return other.first != name && held && (held == old_port || (is_old && held == desired.port));
        });
    if (action.code == HoldReason::PortInUse) return port_is_held;
    // The port of a rendering other than the target's is unknown until it is mounted, so such a start may
    // fail.
    return action.code == HoldReason::BackOff && (is_old || port_is_held);
}

bool stop_may_kick(const Case& generated, const std::string& name) {
    const Drain* const drain = drain_of(generated.intent.stops, name);
    if (drain == nullptr || generated.intent.resets.contains(name)) return true;
    const auto memory = generated.previous.servers.find(name);
    if (memory == generated.previous.servers.end() || !memory->second.remembered.draining_since) return false;
    const TimePoint now = generated.world.now;
    return drain->deadline &&
           std::max(*memory->second.remembered.draining_since, drain->at) + *drain->deadline <= now;
}

/// Which servers may be taken down while people play, or while it is unknown whether they do.
bool may_be_kicked(const Case& generated, const std::string& name) {
    const auto named = generated.desired.servers.find(name);
    if (named == generated.desired.servers.end()) return true;
    if (generated.world.servers.at(name).unit.active != ActiveState::Active)
        return true;  // nobody can play there
    if (named->second.state == RunState::Stopped) return stop_may_kick(generated, name);
    const Rollout& rollout = named->second.rollout;
    if (rollout.policy == RolloutPolicy::Immediate) return true;
    const RestartRequest* const request = request_for(generated.intent.restarts, name);
    if (request != nullptr && !request->when_empty) return true;
    if (generated.intent.resets.contains(name)) return true;
    if (rollout.policy != RolloutPolicy::WhenEmpty) return false;
    const auto memory = generated.previous.servers.find(name);
    if (memory == generated.previous.servers.end()) return false;
    const Remembered& remembered = memory->second.remembered;
    const LocalTime& local = generated.world.local;
    const TimePoint now = generated.world.now;
    const auto has_passed = [&](const std::optional<TimePoint>& since) {
        const auto deadline = since ? deadline_of(rollout, local, *since) : std::nullopt;
        return deadline && *deadline <= now;
    };
    const auto& up_since = generated.world.servers.at(name).unit.active_since;
    return has_passed(remembered.held_since) ||
           (up_since && has_passed(restart_due_since(named->second.schedule, remembered.schedule, *up_since,
                                                     local, now)));
}

/// It takes down a server on which somebody may play, and neither the manifest nor a person allows that.
bool risks_players(const Case& generated, const Action& action) {
    if (action.verb != Verb::Restart && action.verb != Verb::Stop) return false;
    // For its tick alone, a game is only restarted while nobody plays, whatever its rollout says.
    const bool is_slow = action.reason.starts_with("the game runs with less than");
    if (!is_slow && may_be_kicked(generated, action.subject.name)) return false;
    const FakeServer& server = generated.world.servers.at(action.subject.name);
    const auto named = generated.desired.servers.find(action.subject.name);
    const unsigned most =
        is_slow || named == generated.desired.servers.end() ? 0 : named->second.rollout.max_players;
    const bool is_empty = server.players && *server.players <= most &&
                          server.players_age <= std::chrono::seconds(5) && !server.console;
    return !is_empty || !action.while_empty;
}

Failure check_any_world(Choices& choices) {
    const Case generated = make_case(choices, {});
    FakeHost host(generated.world, choices.below(1000));
    for (const auto& [name, server] : generated.world.servers) {
        if (choices.one_in(3)) host.joining.insert(name);
    }
    Status status = generated.previous;
    RunResult pass = *run(host, generated.desired, generated.intent, status);
    const auto fail = [&](const std::string& what) { return failure(generated, pass, what); };

    if (!host.violations.empty()) return fail(host.violations.front());
    if (!keeps_order(pass.planned)) return fail("an action waits for a later one, or has no reason");
    for (const Action& action : pass.planned.actions) {
        if (risks_players(generated, action))
            return fail("it is not known to be empty: " + action.subject.name);
    }
    if (attaches_in_vain(pass.planned)) return fail("what is taken down is attached first");
    for (const std::string& name : host.kicked) {
        const auto named = generated.desired.servers.find(name);
        const bool some_may_be =
            named != generated.desired.servers.end() && named->second.rollout.max_players > 0;
        if (!some_may_be && !may_be_kicked(generated, name))
            return fail("players were kicked from server/" + name);
    }
    for (const auto& [name, before] : generated.world.servers) {
        const bool planned =
            std::any_of(pass.planned.actions.begin(), pass.planned.actions.end(),
                        [&name = name](const Action& action) { return action.subject.name == name; });
        const FakeServer& after = host.world.servers.at(name);
        // Of a starting server that a canary keeps back, the first plan of the run says nothing.
        const auto named = generated.desired.servers.find(name);
        const bool may_be_kept_back = named != generated.desired.servers.end() &&
                                      named->second.blueprint_rollout.canary > 0 &&
                                      before.unit.active == ActiveState::Activating;
        if (!planned && !may_be_kept_back && after != before)
            return fail("an agreeing server was touched: " + name);
        if (suspension_of(generated.intent.suspended, name, pass.observed.now) != nullptr && after != before)
            return fail("a suspended server was touched: " + name);
    }
    // A stopping server is started once it has stopped.
    const bool any_stopping =
        std::any_of(generated.world.servers.begin(), generated.world.servers.end(),
                    [](const auto& entry) { return entry.second.unit.active == ActiveState::Deactivating; });
    if (any_stopping) {
        host.settle();
        pass = *run(host, generated.desired, generated.intent, status);
    }
    for (const Action& action : pass.remaining.actions) {
        if (!may_remain(generated, pass, action)) {
            return fail(fmt::format("{} {} remains", to_string(action.verb), to_string(action.subject)));
        }
    }
    return std::nullopt;
}

/// Nothing to wait for and nothing suspended: whatever was found, in the end nothing remains to be done.
Failure check_plain_world(Choices& choices) {
    const Case generated = make_case(choices, {.plain = true});
    FakeHost host(generated.world, choices.below(1000));
    Status status = generated.previous;
    RunResult pass = *run(host, generated.desired, generated.intent, status);
    const auto fail = [&](const std::string& what) { return failure(generated, pass, what); };
    // A unit that is stopping is left alone, and what comes after its end waits with it.
    const bool any_stopping =
        std::any_of(pass.observed.servers.begin(), pass.observed.servers.end(),
                    [](const auto& entry) { return entry.second.unit.active == ActiveState::Deactivating; });
    for (const Action& action : pass.remaining.actions) {
        if (any_stopping && is_effect(action.verb)) continue;
        // Only a unit that is still starting, or waits after a failure, may hold a port.
        if (action.code != HoldReason::PortInUse && !may_remain(generated, pass, action))
            return fail(fmt::format("{} remains", to_string(action.verb)));
    }
    for (int more = 0; more < 2 && !pass.remaining.empty(); ++more) {
        host.settle();
        pass = *run(host, generated.desired, generated.intent, status);
    }
    host.settle();
    pass = *run(host, generated.desired, generated.intent, status);
    pass = *run(host, generated.desired, generated.intent, status);
    if (!pass.remaining.empty()) return fail("after everything has settled, something remains");

    host.settle();  // what failed again and again has proven itself
    const std::size_t calls = host.calls.size();
    const std::size_t observations = host.observations;
    pass = *run(host, generated.desired, generated.intent, status);
    if (host.calls.size() != calls) return fail("a pass over a converged host called something");
    if (host.observations != observations + 1) return fail("a converged host was observed more than once");
    if (!host.violations.empty()) return fail(host.violations.front());
    for (const auto& [name, server] : status.servers) {
        if (server.find("Ready")->status != ConditionStatus::True) return fail("not ready: " + name);
    }
    return std::nullopt;
}

void require_for_all(std::size_t cases, const Property& property) {
    const std::optional<Counterexample> found = find_counterexample(case_count(cases), property);
    if (!found) {
        SUCCEED();
        return;
    }
    FAIL(fmt::format("seed {}: {}", found->seed, found->message));
}

}  // namespace

TEST_CASE("any world converges in one run, and what remains is what the manifests wait for") {
    require_for_all(60'000, check_any_world);
}

TEST_CASE("a world without anything to wait for ends with an empty plan, and the next pass calls nothing") {
    require_for_all(60'000, check_plain_world);
}
