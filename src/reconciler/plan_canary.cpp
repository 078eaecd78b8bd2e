#include <fmt/format.h>

#include <algorithm>

#include "reconciler/canary.hpp"
#include "reconciler/deadline.hpp"
#include "reconciler/draft.hpp"

namespace left4me::draft {
namespace {

const Remembered& remembered(const World& world, const std::string& server) {
    static const Remembered nothing;
    const Remembered* const memory = world.memory.find(server);
    return memory == nullptr ? nothing : *memory;
}

/// The servers of one Blueprint with canaries, as a change goes through them.
struct Wave {
    unsigned canaries = 0;
    unsigned soaked = 0;       ///< so many have proven the change
    unsigned under_way = 0;    ///< so many have it, and have not proven it yet
    bool has_running = false;  ///< some server could be the canary that runs without it
    std::string waits_for = {};
    std::string failed = {};  ///< why no further server gets it; empty: none has failed

    bool is_open() const { return soaked >= canaries; }
    bool has_place() const { return failed.empty() && soaked + under_way < canaries; }
    std::string text() const {
        if (!failed.empty()) return failed;
        return waits_for.empty() ? "waits for the canary of its Blueprint" : waits_for;
    }
};

/// It runs with the change, or will when it starts again: it was rendered, and is being stopped or has ended.
/// A reconciler that is killed forgets what it had under way, but what it has rendered is on disk.
bool has_change(const TargetServer& target, const ObservedServer& server) {
    return rendering_in_use(server) == target.digest() ||
           (server.unit.active != ActiveState::Active && server.current == target.digest());
}

/// What one server says about the change.
void add(Wave& wave, const World& world, const TargetServer& target, const ObservedServer& server) {
    const std::string& name = target.spec->name;
    const Trial& trial = remembered(world, name).trial;
    if (target.digest().empty()) return;
    if (has_failed(trial, target.digest())) {
        ++wave.under_way;
        wave.failed = fmt::format("the rollout has stopped, because {}, the canary, {}", name, trial.failure);
        return;
    }
    if (world.memory.under_way.contains(name)) {
        ++wave.under_way;
        wave.waits_for = fmt::format("waits for {}, the canary, which is being restarted", name);
        return;
    }
    if (!has_change(target, server)) {
        wave.has_running = wave.has_running || server.unit.active == ActiveState::Active;
        return;
    }
    if (has_soaked(target, trial, world.observed.now)) {
        ++wave.soaked;
        return;
    }
    ++wave.under_way;
    if (trial.rendering == target.digest() && trial.healthy) {
        const auto left = *trial.healthy + target.spec->blueprint_rollout.soak - world.observed.now;
        wave.waits_for = fmt::format("waits for {}, which soaks for another {}", name, left_text(left));
    } else {
        wave.waits_for = fmt::format("waits for {}, the canary, to become Ready", name);
    }
}

std::map<std::string, Wave> waves_of(const World& world) {
    static const ObservedServer never_seen;
    std::map<std::string, Wave> waves;
    for (const auto& [name, target] : world.target.servers) {
        const DesiredServer& desired = *target.spec;
        if (desired.blueprint_rollout.canary == 0 || desired.state != RunState::Running ||
            is_suspended(world, name))
            continue;
        const auto seen = world.observed.servers.find(name);
        Wave& wave = waves[desired.blueprint];
        wave.canaries = desired.blueprint_rollout.canary;
        add(wave, world, target, seen == world.observed.servers.end() ? never_seen : seen->second);
    }
    return waves;
}

/// It would get another rendering than it has now, without anybody having asked for that.
bool gets_change(const ServerDraft& draft) {
    const DesiredServer* const desired = draft.desired();
    if (desired == nullptr || desired->state != RunState::Running || !draft.usable || draft.as_is)
        return false;
    if (draft.target->digest().empty() || has_change(*draft.target, *draft.observed)) return false;
    return std::none_of(draft.steps.begin(), draft.steps.end(), [](const Step& step) {
        return step.cause == Cause::Request && is_effect(step.verb);
    });
}

/// It would have the change now, or when systemd starts it again.
bool goes(const ServerDraft& draft) {
    const Step* const restart = draft.find(Verb::Restart);
    if (restart != nullptr) return restart->cause != Cause::Hang;
    return draft.observed->unit.active != ActiveState::Active && draft.has(Verb::Render);
}

/// It keeps the rendering that it has, and comes up with that one if it ends by itself.
void keep_back(ServerDraft& draft, const Wave& wave) {
    draft.erase(Verb::Render);
    draft.as_is = true;
    if (wave.has_place()) return;  // it may yet become the canary
    draft.erase(Verb::Warn);
    for (Step& step : draft.steps) {
        const bool waits = step.code == HoldReason::RolloutPending;
        const bool restarts =
            step.verb == Verb::Restart && (step.cause == Cause::Manifest || step.cause == Cause::Deadline);
        if (!waits && !restarts) continue;
        step = {Verb::Hold,
                fmt::format("{}; {}", describe_mounted(*draft.target, *draft.observed), wave.text()),
                {},
                HoldReason::CanaryPending};
        step.wait = Wait{WaitsFor::Canary};
    }
}

}  // namespace

void send_canaries(const World& world, std::vector<ServerDraft>& drafts) {
    std::map<std::string, Wave> waves = waves_of(world);
    if (waves.empty()) return;
    const auto wave_of = [&](const ServerDraft& draft) -> Wave* {
        if (!gets_change(draft) || world.memory.under_way.contains(draft.name)) return nullptr;
        const auto found = waves.find(draft.desired()->blueprint);
        return found == waves.end() || found->second.is_open() ? nullptr : &found->second;
    };
    // The one that has had this change already, that was rendered for it, or that an earlier one has broken
    // comes first, and then those that run: a server that is down may be so for a reason of its own.
    const auto was_canary = [&](const ServerDraft& draft, const Wave&) {
        const Trial& trial = remembered(world, draft.name).trial;
        const std::string_view change = draft.target->digest();
        return !trial.failure.empty() || trial.rendering == change || draft.observed->current == change;
    };
    const auto runs = [](const ServerDraft& draft, const Wave& wave) {
        return draft.observed->unit.active == ActiveState::Active || !wave.has_running;
    };
    const auto choose = [&](const auto& is_fit) {
        for (ServerDraft& draft : drafts) {
            Wave* const wave = draft.is_canary ? nullptr : wave_of(draft);
            if (wave == nullptr || !wave->has_place() || !goes(draft) || !is_fit(draft, *wave)) continue;
            ++wave->under_way;
            wave->waits_for = fmt::format("waits for {}, the canary, to become Ready", draft.name);
            draft.is_canary = true;
        }
    };
    choose(was_canary);
    choose(runs);
    for (ServerDraft& draft : drafts) {
        const Wave* const wave = draft.is_canary ? nullptr : wave_of(draft);
        if (wave != nullptr) keep_back(draft, *wave);
    }
}

}  // namespace left4me::draft
