#include "reconciler/canary.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reconciler/backoff.hpp"
#include "reconciler/crashes.hpp"
#include "reconciler/health.hpp"
#include "reconciler/layers.hpp"

namespace left4me {
namespace {

bool is_crashing(const Remembered& memory, const ObservedServer& server, TimePoint now) {
    if (is_crash_loop(memory.backoff)) return true;
    return crashes_again(memory.crashes) && !has_stayed_up(memory.crashes, server.unit, now);
}

/// Why the game that runs, or should, is not healthy and will not become so by itself; empty: it may.
std::string failure_of(const Remembered& memory, const TargetServer& target, const ObservedServer& server,
                       const Observed& observed) {
    const ObservedUnit& unit = server.unit;
    if (is_crashing(memory, server, observed.now)) return "crashes again and again";
    if (unit.active == ActiveState::Failed && !was_stopped(unit))
        return unit.result.empty() ? "its unit failed" : fmt::format("its unit failed ({})", unit.result);
    if (response_of(*target.spec, server, observed) == Response::Silent) return "does not answer";
    return {};
}

}  // namespace

std::string rendering_in_use(const ObservedServer& server) {
    const auto& stack = server.stack();
    if (!stack) return server.current.value_or("");
    if (stack->empty()) return {};
    const Layer top = parse_layer(stack->front());
    return top.kind == Layer::Kind::Rendering ? std::string(top.digest) : std::string();
}

bool has_soaked(const TargetServer& target, const Trial& trial, TimePoint now) {
    return trial.healthy && trial.failure.empty() && trial.rendering == target.digest() &&
           now - *trial.healthy >= target.spec->blueprint_rollout.soak;
}

Trial next_trial(const Remembered& before, const TargetServer& target, const ObservedServer& server,
                 const Observed& observed, bool was_started) {
    if (target.spec->blueprint_rollout.canary == 0) return {};
    const std::string in_use = rendering_in_use(server);
    // Unknown for now: while it is stopped for a restart, say.
    if (in_use.empty()) return before.trial;
    Trial next = before.trial;
    if (next.rendering != in_use) {
        // It is only what the next start will use: how the unit has ended says nothing about it.
        if (!server.stack() && !was_started) return next;
        next = Trial{.rendering = in_use, .healthy = {}, .failure = {}};
    }
    const Response response = response_of(*target.spec, server, observed);
    const bool stays_up = has_stayed_up(before.crashes, server.unit, observed.now) &&
                          !is_crashing(before, server, observed.now);
    if (stays_up && response == Response::Answers) {
        if (!next.healthy) next.healthy = observed.now;
        // It was started again before it had soaked.
        const auto& started = server.unit.active_since;
        if (started && *started < *next.healthy + target.spec->blueprint_rollout.soak)
            next.healthy = std::max(*next.healthy, *started);
        // The clock was set back.
        next.healthy = std::min(*next.healthy, observed.now);
        return next;
    }
    if (stays_up && response == Response::Unknown) return next;
    // Whatever happens to it after that is not the change's fault.
    if (has_soaked(target, next, observed.now)) return next;
    next.healthy.reset();
    if (in_use == target.digest() && next.failure.empty())
        next.failure = failure_of(before, target, server, observed);
    return next;
}

}  // namespace left4me
