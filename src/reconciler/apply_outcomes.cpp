#include "reconciler/apply_outcomes.hpp"

#include <algorithm>
#include <set>

#include "reconciler/backoff.hpp"
#include "reconciler/canary.hpp"
#include "reconciler/crashes.hpp"

namespace left4me {
namespace {

/// A server with `drift: Report` that was rendered before but has no remembered state: the status was lost.
/// Any difference may be drift, so the current specification counts as applied.
void assume_applied(Memory& memory, const Target& target, const Observed& observed) {
    for (const auto& [name, server] : target.servers) {
        if (server.spec->drift != DriftPolicy::Report || memory.find(name) != nullptr) continue;
        const auto seen = observed.servers.find(name);
        if (seen == observed.servers.end() || !seen->second.current) continue;
        memory.servers[name].fingerprint = fingerprint(*server.spec, server.digest());
    }
}

const SubjectFailure* find(const std::map<Subject, SubjectFailure>& failures, Kind kind,
                           const std::string& name) {
    const auto found = failures.find({kind, name});
    return found == failures.end() ? nullptr : &found->second;
}

/// Each is given once, whether the game took it or not: a later warning comes, or the restart.
void learn_commands(Memory& memory, const Plan& attempted, std::span<const Outcome> outcomes, TimePoint now) {
    for (const Outcome& outcome : outcomes) {
        const Action& action = attempted.actions[outcome.action];
        if (action.verb == Verb::Warn) memory.servers[action.subject.name].warned = now;
        for (const auto& [cvar, value] : action.console ? action.console->cvars : Cvars()) {
            if (outcome.done) memory.servers[action.subject.name].cvars[cvar] = {value, now};
        }
        // It waits for players again.
        if (action.verb != Verb::Command || outcome.reason == FailureKind::Occupied) continue;
        memory.servers[action.subject.name].schedule[action.console->schedule_key] = now;
    }
}

/// Of what the game has taken, was started without, or is not to have any more, nothing is remembered.
void learn_cvars(Memory& memory, const Target& target, const Observed& observed) {
    for (auto& [name, remembered] : memory.servers) {
        if (remembered.cvars.empty()) continue;
        const TargetServer* const server = target.find(name);
        const auto seen = observed.servers.find(name);
        std::erase_if(remembered.cvars, [&](const auto& entry) {
            const auto& [cvar, tried] = entry;
            if (server == nullptr || seen == observed.servers.end()) return true;
            const auto& since = seen->second.unit.active_since;
            const auto wanted = server->spec->cvars.find(cvar);
            if (wanted == server->spec->cvars.end() || wanted->second != tried.value) return true;
            if (!since || *since > tried.at) return true;
            if (!seen->second.cvars) return false;
            const auto has = seen->second.cvars->values.find(cvar);
            return has != seen->second.cvars->values.end() && has->second &&
                   is_same_value(*has->second, tried.value);
        });
    }
}

void learn_crashes(Memory& memory, const Target& target, const Observed& observed) {
    for (auto& [name, remembered] : memory.servers) {
        const auto seen = observed.servers.find(name);
        if (seen == observed.servers.end()) continue;
        Crashes& crashes = remembered.crashes;
        const TargetServer* const server = target.find(name);
        // A game that is killed because it does not want to stop has not crashed.
        const bool shall_run = server != nullptr && server->spec->state == RunState::Running;
        const unsigned crashed = shall_run ? new_crashes(crashes, seen->second.unit, observed.now) : 0;
        // As in apply_outcomes(): a fingerprint is not for free.
        const std::string spec_hash =
            crashed > 0 || crashes.last_at ? server_spec_hash(server) : std::string();
        crashes = next_crashes(crashes, seen->second.unit, crashed, spec_hash, observed.now);
    }
}

void learn_ticks(Memory& memory, const Target& target, const Observed& observed) {
    for (const auto& [name, server] : target.servers) {
        const auto seen = observed.servers.find(name);
        if (seen == observed.servers.end()) continue;
        // Nothing is remembered of most servers, which have no console.
        const Remembered* const known = memory.find(name);
        if (!server.spec->has_console && (known == nullptr || known->tick == TickMemory{})) continue;
        TickMemory& tick = memory.servers[name].tick;
        tick = server.spec->has_console ? next_tick(tick, *server.spec, seen->second, observed.now)
                                        : TickMemory{};
    }
}

void learn_trials(Memory& memory, const Target& target, const Observed& observed, const Plan& attempted,
                  std::span<const Outcome> outcomes) {
    std::set<std::string> started;
    for (const Outcome& outcome : outcomes) {
        const Action& action = attempted.actions[outcome.action];
        const bool begun = outcome.done || origin_of(outcome.reason) == FailureOrigin::Unit;
        if (begun && (action.verb == Verb::Start || action.verb == Verb::Restart))
            started.insert(action.subject.name);
    }
    for (const auto& [name, server] : target.servers) {
        // Most servers have no canaries, and nothing is remembered of many.
        if (server.spec->blueprint_rollout.canary == 0) {
            if (const auto known = memory.servers.find(name); known != memory.servers.end())
                known->second.trial = {};
            continue;
        }
        const auto seen = observed.servers.find(name);
        if (seen == observed.servers.end()) continue;
        Remembered& remembered = memory.servers[name];
        remembered.trial = next_trial(remembered, server, seen->second, observed, started.contains(name));
    }
}

void apply_overlay_outcomes(Memory& memory, const Target& target,
                            const std::map<Subject, SubjectFailure>& failures, TimePoint now) {
    std::map<std::string, Backoff> overlays;
    for (const auto& [name, overlay] : target.overlays) {
        const auto before = memory.overlays.find(name);
        const SubjectFailure* failure = find(failures, kind_of_artifacts(*target.desired, name), name);
        if (failure != nullptr && failure->verb == Verb::Refresh) failure = nullptr;
        const bool failed = overlay.build && overlay.build->record.failure;
        if (before == memory.overlays.end() && failure == nullptr && !failed) continue;
        Backoff backoff = next_backoff(before == memory.overlays.end() ? Backoff{} : before->second, name,
                                       overlay_spec_hash(target, name), failure, now);
        // A unit that could not even be started has nothing in its record.
        if (failed && (!backoff.failed_at || *backoff.failed_at <= overlay.build->record.failure->at))
            backoff = backoff_of_build(name, *overlay.build);
        if (backoff.failures > 0) overlays.emplace(name, std::move(backoff));
    }
    memory.overlays = std::move(overlays);
}

/// One that is asked for now is not due before its next time.
void learn_refreshes(Memory& memory, const Desired& desired, const Plan& attempted,
                     std::span<const Outcome> outcomes, const std::map<Subject, SubjectFailure>& failures,
                     TimePoint now) {
    std::map<std::string, Refreshed> refreshes;
    for (const auto& [name, calendar] : desired.refreshes) {
        const auto before = memory.refreshes.find(name);
        Refreshed& refreshed = refreshes[name];
        refreshed = before == memory.refreshes.end() ? Refreshed{now, {}} : std::move(before->second);
        refreshed.at = std::min(refreshed.at, now);  // the clock may have been set back
        const SubjectFailure* const failure = find(failures, kind_of_artifacts(desired, name), name);
        if (failure != nullptr && failure->verb == Verb::Refresh)
            refreshed.backoff = next_backoff(refreshed.backoff, name, {}, failure, now);
    }
    for (const Outcome& outcome : outcomes) {
        const Action& action = attempted.actions[outcome.action];
        const auto refreshed = refreshes.find(action.subject.name);
        if (action.verb == Verb::Refresh && outcome.done && refreshed != refreshes.end())
            refreshed->second = {now, {}};
    }
    memory.refreshes = std::move(refreshes);
}

}  // namespace

const Remembered* Memory::find(const std::string& server) const {
    const auto found = servers.find(server);
    return found == servers.end() ? nullptr : &found->second;
}

Memory load_memory(const Status& previous) {
    Memory memory;
    for (const auto& [name, status] : previous.servers)
        memory.servers.emplace_hint(memory.servers.end(), name, status.remembered);
    memory.overlays = previous.overlays;
    memory.refreshes = previous.refreshes;
    memory.tuned = previous.tuned;
    return memory;
}

void apply_outcomes(Memory& memory, const Target& target, const Observed& observed, const Plan& attempted,
                    std::span<const Outcome> outcomes) {
    assume_applied(memory, target, observed);
    const std::map<Subject, SubjectFailure> failures = failures_of(attempted, outcomes);
    for (const auto& [subject, failure] : failures) {
        if (subject.kind == Kind::Server) (void)memory.servers[subject.name];
    }
    for (auto& [name, remembered] : memory.servers) {
        const SubjectFailure* const failure = find(failures, Kind::Server, name);
        // Nearly every server has no backoff, and its fingerprint costs time.
        if (failure == nullptr && remembered.backoff.failures == 0) continue;
        remembered.backoff = next_backoff(remembered.backoff, name, server_spec_hash(target.find(name)),
                                          failure, observed.now);
    }
    learn_commands(memory, attempted, outcomes, observed.now);
    learn_cvars(memory, target, observed);
    learn_crashes(memory, target, observed);
    learn_ticks(memory, target, observed);
    learn_trials(memory, target, observed, attempted, outcomes);
    apply_overlay_outcomes(memory, target, failures, observed.now);
    memory.tuned.backoff = next_backoff(memory.tuned.backoff, host_name, tuning_hash(target.desired->tuning),
                                        find(failures, Kind::Host, host_name), observed.now);
    learn_refreshes(memory, *target.desired, attempted, outcomes, failures, observed.now);
}

}  // namespace left4me
