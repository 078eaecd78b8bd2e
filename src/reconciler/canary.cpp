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

/// The only rendering on disk that is neither in use nor asked for; empty: there is none, or it is not clear
/// which.
std::string only_other(const TargetServer& target, const ObservedServer& server, const std::string& in_use) {
    std::string other = server.current.value_or("");
    if (other == in_use || other == target.digest()) other.clear();
    for (const auto& [digest, content] : server.earlier) {
        if (digest == in_use) continue;
        if (!other.empty()) return {};
        other = digest;
    }
    return other;
}

/// Another one than what is remembered has come into use.
Trial begin_trial(const Trial& before, const TargetServer& target, const ObservedServer& server,
                  const std::string& in_use) {
    Trial next{.rendering = in_use,
               .healthy = {},
               .failure = before.failure,
               .failed = before.failed,
               .failed_at = before.failed_at,
               .fallback = before.fallback};
    if (before.rendering.empty()) {
        next.fallback = only_other(target, server, in_use);  // everything was forgotten
    } else if (before.fallback.empty() && !has_failed(before, before.rendering)) {
        next.fallback = before.rendering;
    }
    // A canary that has returned to its fallback does not forget why.
    if (in_use == next.failed) {
        forget_failure(next);
    }
    return next;
}

}  // namespace

void forget_failure(Trial& trial) {
    trial.failure.clear();
    trial.failed.clear();
    trial.failed_at.reset();
}

bool has_failed(const Trial& trial, std::string_view rendering) {
    return !trial.failure.empty() && trial.failed == rendering;
}

bool may_return_to(const Trial& trial, std::string_view rendering) {
    if (has_failed(trial, rendering)) return false;
    if (trial.rendering.empty()) return true;  // nothing is known
    return rendering == (trial.fallback.empty() ? trial.rendering : trial.fallback);
}

std::string rendering_in_use(const ObservedServer& server) {
    const auto& stack = server.stack();
    if (!stack) return server.current.value_or("");
    if (stack->empty()) return {};
    const Layer top = parse_layer(stack->front());
    return top.kind == Layer::Kind::Rendering ? std::string(top.digest) : std::string();
}

bool has_soaked(const TargetServer& target, const Trial& trial, TimePoint now) {
    return trial.healthy && trial.rendering == target.digest() && !has_failed(trial, trial.rendering) &&
           now - *trial.healthy >= target.spec->blueprint_rollout.soak;
}

Trial next_trial(const Remembered& before, const TargetServer& target, const ObservedServer& server,
                 const Observed& observed, bool was_started) {
    const std::string in_use = rendering_in_use(server);
    // Unknown for now: while it is stopped for a restart, say.
    if (in_use.empty()) return before.trial;
    Trial next = before.trial;
    if (next.rendering != in_use) {
        // It is only what the next start will use: how the unit has ended says nothing about it.
        if (!server.stack() && !was_started) return next;
        next = begin_trial(before.trial, target, server, in_use);
    }
    // What failed is not asked for any more; if it is asked for again, it is tried again.
    if (in_use == target.digest() && next.failed != in_use) {
        forget_failure(next);
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
        if (observed.now - *next.healthy >= target.spec->blueprint_rollout.soak && !has_failed(next, in_use))
            next.fallback = in_use;
        return next;
    }
    if (stays_up && response == Response::Unknown) return next;
    // It was seen to be healthy to the end: whatever happens to it after that is not the change's fault.
    if (next.fallback == in_use) return next;
    next.healthy.reset();
    if (in_use != target.digest() || has_failed(next, in_use)) return next;
    next.failure = failure_of(before, target, server, observed);
    if (!next.failure.empty()) {
        next.failed = in_use;
        next.failed_at = observed.now;
    } else {
        forget_failure(next);
    }
    return next;
}

}  // namespace left4me
