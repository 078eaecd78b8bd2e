#include "support/fake_host.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reconciler/layers.hpp"
#include "specs/placeholders.hpp"

namespace left4me::test {
namespace {

bool is_work_on_files(Verb verb) {
    return verb == Verb::Build || verb == Verb::Render || verb == Verb::Revert || verb == Verb::Unmanage ||
           verb == Verb::Prune;
}

}  // namespace

std::expected<ObservedUnits, std::string> FakeHost::observe_units() {
    if (observe_error) return std::unexpected(*observe_error);
    ObservedUnits units;
    for (const auto& [name, server] : world.servers) units.servers.emplace(name, server.unit);
    for (const auto& [name, input] : world.building) units.builds.try_emplace(name);
    return units;
}

void FakeHost::wait_for_builds() {
    world.now += std::chrono::hours(1);
    end_builds();
    if (world.building.empty()) return;
    hanging.clear();  // nothing hangs for ever
    end_builds();
}

void FakeHost::end_builds() {
    std::erase_if(world.building, [this](const auto& build) {
        const auto& [name, input] = build;
        if (hanging.contains(name)) return false;
        if (unrecorded_builds.contains(name)) return true;
        BuildRecord& record = world.records[name];
        record.invocation = fmt::format("i{}", ++invocations_);
        record.ended = world.now;
        if (const auto failing = failing_builds.find(name); failing != failing_builds.end()) {
            const bool again = record.failure && record.failure->input == input;
            record.failure = BuildFailure{failing->second, to_string(failing->second),
                                          again ? record.failure->failures + 1 : 1, world.now, input};
            return true;
        }
        record.failure.reset();
        record.artifact = BuiltArtifact{input, input};
        world.overlay_artifacts.insert(fmt::format("overlays/{}/{}", name, input));
        world.built[fmt::format("overlays/{}/{}", name, input)] = world.now;
        return true;
    });
}

Inputs FakeHost::read_inputs(const Desired& desired, const Rollbacks& rollbacks) {
    Inputs inputs;
    for (const auto& [name, source] : desired.overlays) {
        const auto content = world.sources.find(name);
        if (content == world.sources.end()) continue;
        OverlayInput& input = inputs.overlays[name];
        if (is_built_by_unit(source)) {
            input.build.emplace();
            if (const auto record = world.records.find(name); record != world.records.end())
                input.build->record = record->second;
            auto& artifact = input.build->record.artifact;
            if (artifact && !has_artifact(name, artifact->digest)) artifact.reset();
            if (const auto canceled = world.canceled.find(name); canceled != world.canceled.end())
                input.build->canceled = canceled->second;
            if (const auto when = world.canceled_at.find(name); when != world.canceled_at.end())
                input.build->canceled_at = when->second;
            if (const auto requested = world.requested.find(name); requested != world.requested.end())
                input.build->requested = requested->second;
        }
        if (const auto rollback = rollbacks.find(name);
            rollback != rollbacks.end() && has_artifact(name, rollback->second.artifact))
            input.rolled_back_to = rollback->second.artifact;
        if (unread.contains(name)) {
            input.error = InputError{InputErrorKind::Unread, "its files are being looked at"};
        } else if (content->second && input.build) {
            input.build->input = *content->second;
        } else if (content->second) {
            input.artifact = *content->second;
        } else {
            input.error = InputError{InputErrorKind::Source, content->second.error()};
        }
    }
    for (const auto& [name, server] : desired.servers) {
        for (const std::string& file : secrets_in(server.config)) {
            const auto secret = world.secrets.find(file);
            if (secret != world.secrets.end()) {
                inputs.secrets.emplace(file, secret->second);
            } else {
                inputs.secrets.emplace(
                    file, std::unexpected(InputError{InputErrorKind::Secret,
                                                     fmt::format("secret {}: no such file", file)}));
            }
        }
    }
    inputs.key = "key";
    return inputs;
}

bool FakeHost::has_artifact(const std::string& overlay, const std::string& digest) const {
    return world.overlay_artifacts.contains(fmt::format("overlays/{}/{}", overlay, digest));
}

Target FakeHost::target(const Desired& desired, const Rollbacks& rollbacks) {
    return resolve(std::make_shared<const Desired>(desired), read_inputs(desired, rollbacks));
}

std::expected<Observed, std::string> FakeHost::observe(const Target& target) {
    auto units = observe_units();
    if (!units) return std::unexpected(units.error());
    return observe(target, *std::move(units));
}

std::expected<Observed, std::string> FakeHost::observe(const Target& target, ObservedUnits units) {
    ++observations;
    if (observe_error) return std::unexpected(*observe_error);
    Observed observed;
    observed.now = world.now;
    observed.local = world.local;
    observed.builds = std::move(units.builds);
    observed.installation = world.installation;
    observed.is_probed = world.is_probed;
    observed.artifacts = world.overlay_artifacts;
    observed.built = world.built;
    observed.tuning = world.tuning;
    for (const auto& [name, server] : world.servers) {
        const TargetServer* const asked = target.find(name);
        ObservedServer& seen = observed.servers[name];
        seen.unit = units.servers.at(name);
        seen.managed = server.managed;
        seen.current = server.current;
        if (server.current && (asked == nullptr || asked->digest() != *server.current)) {
            const auto current = server.renderings.find(*server.current);
            if (current != server.renderings.end())
                seen.current_rendering = ObservedRendering{current->second.layers, current->second.port};
        }
        if (asked != nullptr && asked->spec->blueprint_rollout.rollback_on_failure) {
            for (const auto& [digest, rendering] : server.renderings) {
                if (digest != asked->digest() && digest != server.current)
                    seen.earlier.emplace(digest, ObservedRendering{rendering.layers, rendering.port});
            }
        }
        seen.mounted = server.mounted;
        if (!server.mounted && server.unit.active == ActiveState::Active)
            seen.mounted_in_game = server.in_game;
        if (server.runtime) seen.runtime = fmt::format("directory {}", server.purges);
        if (target.restarts.contains(name)) seen.invocation = std::to_string(server.processes);
        seen.shadowed = server.shadowed;
        if (server.shadowed > 0) seen.shadowed_names = {"left4dead2/cfg/server.cfg"};
        seen.set_aside = server.set_aside;
        for (const auto& [digest, rendering] : server.renderings) {
            observed.artifacts.insert(fmt::format("instances/{}/{}", name, digest));
        }
        if (!seen.stack() || seen.stack()->empty()) continue;
        const auto mounted = server.renderings.find(std::string(parse_layer(seen.stack()->front()).digest));
        if (mounted == server.renderings.end()) continue;
        seen.mounted_port = mounted->second.port;
        // A game is found by its port.
        if (server.players)
            seen.players = ObservedPlayers{
                .count = *server.players, .max = 8, .map = "c1m1_hotel", .age = server.players_age};
        if (world.is_probed && seen.unit.active == ActiveState::Active) seen.socket = server.socket;
        seen.mounted_environment = mounted->second.environment;
        seen.console = server.console;
        seen.cvars = server.cvars;
        if (seen.unit.active == ActiveState::Active) seen.tick = server.tick;
        if (server.has_console) seen.console_rendering = "instances/" + name + "/mounted";
    }
    asked_for_.clear();
    for (const auto& [name, server] : target.servers) {
        asked_for_.insert(name);
        ObservedServer& seen = observed.servers[name];
        if (!server.rendering) continue;
        seen.damaged = {"."};
        const auto fake = world.servers.find(name);
        if (fake == world.servers.end()) continue;
        const auto rendering = fake->second.renderings.find(std::string(server.digest()));
        if (rendering != fake->second.renderings.end()) seen.damaged = rendering->second.damaged;
    }
    return observed;
}

void FakeHost::begin(const Plan& plan, std::span<const ActionIndex> actions) {
    ++batches;
    const auto prunes = [](const Action& action) { return action.verb == Verb::Prune; };
    const bool first = std::any_of(actions.begin(), actions.end(),
                                   [&plan](ActionIndex index) { return plan.actions[index].after.empty(); });
    if (first && std::any_of(plan.actions.begin(), plan.actions.end(), prunes))
        planned_from_[&plan] = std::make_shared<const std::map<std::string, FakeServer>>(world.servers);
    for (const ActionIndex index : actions) {
        const Action& action = plan.actions[index];
        Job job;
        job.outcome.action = index;
        job.outcome.plan = &plan;
        job.verb = action.verb;
        job.subject = action.subject;
        job.artifact = action.artifact;
        job.rendering = action.rendering;
        job.source = action.source;
        job.tuning = action.tuning;
        if (action.console) job.command = action.console->text;
        if (action.while_empty) job.while_empty = *action.while_empty;
        check(job);
        if (action.verb == Verb::Prune) job.planned_from = planned_from_[&plan];
        job.fails = fail_call == calls.size();
        calls.push_back({action.verb, action.subject});
        under_way_.push_back(std::move(job));
    }
}

/// Promise 2, and the promise to remove only what left4me created.
void FakeHost::check(const Job& job) {
    if (!is_effect(job.verb)) {
        violations.push_back(
            fmt::format("{} {} is not an effect", to_string(job.verb), to_string(job.subject)));
    }
    if (job.subject.kind == Kind::Overlay || job.subject.kind == Kind::Host) return;
    const auto server = world.servers.find(job.subject.name);
    const bool managed = server != world.servers.end() && server->second.managed;
    if (!asked_for_.contains(job.subject.name) && !managed) {
        violations.push_back(fmt::format("{} {}: neither in the manifests nor made by left4me",
                                         to_string(job.verb), to_string(job.subject)));
    }
}

std::vector<std::size_t> FakeHost::not_hanging() const {
    std::vector<std::size_t> candidates;
    for (std::size_t index = 0; index < under_way_.size(); ++index) {
        const Job& job = under_way_[index];
        const bool slow = job.verb == Verb::Build || waits_for_unit(job.verb);
        if (!slow || !hanging.contains(job.subject.name)) candidates.push_back(index);
    }
    return candidates;
}

std::vector<Outcome> FakeHost::end(std::size_t index) {
    Job job = std::move(under_way_[index]);
    under_way_.erase(under_way_.begin() + static_cast<std::ptrdiff_t>(index));
    world.now += std::chrono::milliseconds(10);
    finish(job);
    return {job.outcome};
}

std::vector<Outcome> FakeHost::wait() {
    if (under_way_.empty()) return {};
    const std::vector<std::size_t> candidates = not_hanging();
    if (!candidates.empty()) return end(candidates[random_.below(candidates.size())]);
    world.now += std::chrono::seconds(90);  // the rest hung until systemd's timeout
    return end(0);
}

std::vector<Outcome> FakeHost::poll_completions() {
    end_builds();
    const std::vector<std::size_t> candidates = not_hanging();
    told_just_now_ = dawdling && !told_just_now_ && !candidates.empty();
    if (candidates.empty() || (dawdling && !told_just_now_)) return {};
    return end(candidates[random_.below(candidates.size())]);
}

void FakeHost::finish(Job& job) {
    Result result;
    if (job.fails) {
        result = std::unexpected(Outcome{0, false, FailureKind::IOError, "told to fail"});
    } else {
        result = perform(job);
    }
    job.outcome.done = result.has_value();
    if (!result) {
        job.outcome.reason = result.error().reason;
        job.outcome.message = result.error().message;
    }
    ended.push_back(fmt::format("{} {}", to_string(job.verb), to_string(job.subject)));
}

FakeHost::Result FakeHost::perform(const Job& job) {
    if (job.verb == Verb::Tune) {
        world.tuning.drop_ins.clear();
        for (const auto& [unit, settings] : *job.tuning)
            world.tuning.drop_ins[unit] = tuning_text(unit, settings);
        world.tuning.is_loaded = true;
        return {};
    }
    if (job.verb == Verb::Build) return build(job);
    if (job.verb == Verb::Prune) return prune(job);
    if (job.verb == Verb::Refresh) return {};  // the source's next revision is a test's
    if (job.verb == Verb::Cancel) {
        world.building.erase(job.subject.name);
        return {};
    }
    FakeServer& server = world.servers[job.subject.name];
    if (job.while_empty) {
        if (auto empty = check_empty(server, job.subject.name, *job.while_empty); !empty) return empty;
    }
    switch (job.verb) {
        case Verb::Set:
        case Verb::Warn:
        case Verb::Command:
            commands.push_back({job.subject.name, job.command});
            return {};
        case Verb::Render:
            return render(job);
        case Verb::Revert:
            if (!server.renderings.contains(job.artifact))
                violations.push_back(fmt::format("revert {} to what is gone", to_string(job.subject)));
            server.current = job.artifact;
            return {};
        case Verb::Unmanage:
            return unmanage(job);
        case Verb::Start:
            return start(server, job.subject.name);
        case Verb::Stop:
            return stop(server, job.subject.name);
        case Verb::Restart:
            return restart(server, job.subject.name);
        case Verb::Attach:
            return attach(server);
        case Verb::Purge:
            return purge(server);
        case Verb::Enable:
            if (!server.current) {
                violations.push_back(
                    fmt::format("enable {} although a boot could only fail", to_string(job.subject)));
            }
            server.unit.enablement = Enablement::Enabled;
            break;
        case Verb::Disable:
            if (server.unit.enablement == Enablement::Enabled) server.unit.enablement = Enablement::Disabled;
            break;
        case Verb::ResetFailed:
            if (server.unit.active == ActiveState::Failed) reset(server.unit);
            server.starts = 0;
            break;
        default:
            break;
    }
    return {};
}

void FakeHost::reconciler_died() {
    std::vector<Job> jobs;
    jobs.swap(under_way_);
    for (Job& job : jobs) {
        if (!is_work_on_files(job.verb)) {
            finish(job);
            continue;
        }
        FakeServer& server = world.servers[job.subject.name];
        const bool half_way = random_.below(2) == 0;
        if (!half_way) continue;
        if (job.verb == Verb::Render) {
            // The directory exists, but `current` was not switched yet.
            const std::optional<std::string> before = server.current;
            (void)render(job);
            server.current = before;
        } else if (job.verb == Verb::Unmanage) {
            server.current.reset();
            server.renderings.clear();
        }
    }
}

}  // namespace left4me::test
