#include <fmt/format.h>

#include <algorithm>

#include "reconciler/deadline.hpp"
#include "reconciler/draft.hpp"
#include "reconciler/health.hpp"
#include "reconciler/local_time.hpp"
#include "specs/grammars/time_of_day.hpp"

namespace left4me::draft {
namespace {

Step restart(std::string reason, Cause cause) { return {Verb::Restart, std::move(reason), {}, {}, cause}; }

std::string deadline_text(const Rollout& rollout) {
    return rollout.deadline
               ? fmt::format("has waited {} s, its deadline", rollout.deadline->count())
               : fmt::format("has waited until {}, its deadline", time_of_day_text(*rollout.deadline_at));
}

}  // namespace

/// In the future: the clock was set back. The wait starts over instead of becoming an hour longer.
TimePoint waits_since(const World& world, const DesiredServer& desired) {
    const Remembered* memory = world.memory.find(desired.name);
    const bool waits = memory != nullptr && memory->held_since;
    return waits ? std::min(*memory->held_since, world.observed.now) : world.observed.now;
}

bool is_empty(const ObservedServer& observed, unsigned most) {
    return observed.players && shows_empty(*observed.players, most) && observed.mounted_port &&
           !(observed.console && shows_occupied(*observed.console, most));
}

std::string waits_text(const ObservedServer& observed, unsigned most) {
    const std::string until =
        most == 0 ? "waits until empty: " : fmt::format("waits until at most {} play: ", most);
    const unsigned count = observed.players ? observed.players->count : 0;
    if (count > most) return until + count_text(count);
    // An old answer that nobody plays says nothing.
    if (!observed.players || !shows_empty(*observed.players, most) || !observed.console)
        return until + "number of players unknown, which counts as occupied";
    return until + occupied_text(*observed.console);
}

Step while_empty(Step step, const ObservedServer& observed, unsigned most) {
    if (observed.mounted_port)
        step.while_empty = WhileEmpty{*observed.mounted_port, observed.console_rendering, most};
    return step;
}

Step when_empty(const World& world, const DesiredServer& desired, const ObservedServer& observed,
                const Wanted& wanted) {
    const Rollout& rollout = desired.rollout;
    const TimePoint now = world.observed.now;
    const unsigned most = rollout.max_players;
    const auto deadline = deadline_of(rollout, world.observed.local, wanted.since);
    const auto hold = [&](WaitsFor what, std::string reason) {
        Step step{Verb::Hold, std::move(reason), {}, wanted.code};
        step.wait = Wait{what, deadline && *deadline > now ? deadline : std::nullopt};
        return step;
    };
    const std::string latest = deadline && *deadline > now
                                   ? ", at the latest " + local_text(world.observed.local, *deadline, now)
                                   : std::string();
    if (rollout.window && !is_within(*rollout.window, world.observed.local, now)) {
        return hold(WaitsFor::Window, fmt::format("{} waits for its window {}-{}{}", wanted.text,
                                                  time_of_day_text(rollout.window->from),
                                                  time_of_day_text(rollout.window->until), latest));
    }
    if (is_empty(observed, most)) {
        const std::string who = observed.players->count == 0
                                    ? "nobody is playing"
                                    : count_text(observed.players->count) + " are few enough";
        return while_empty(restart(fmt::format("{}, and {}", wanted.text, who), wanted.cause), observed,
                           most);
    }
    if (deadline && *deadline <= now && wanted.since < now)
        return restart(fmt::format("{} {}", wanted.text, deadline_text(rollout)), wanted.after_deadline);
    return while_empty(
        hold(WaitsFor::Empty, fmt::format("{} {}{}", wanted.text, waits_text(observed, most), latest)),
        observed, most);
}

Step decide_rollout(const World& world, const DesiredServer& desired, const ObservedServer& observed,
                    const std::string& change) {
    switch (desired.rollout.policy) {
        case RolloutPolicy::Immediate:
            return restart(fmt::format("{}; rollout Immediate", change), Cause::Manifest);
        case RolloutPolicy::WhenEmpty:
            return when_empty(world, desired, observed,
                              {change + "; rollout WhenEmpty", waits_since(world, desired)});
        case RolloutPolicy::OnNextStart:
            break;
    }
    Step step{Verb::Hold,
              change + "; rollout OnNextStart waits for the next start",
              {},
              HoldReason::RolloutPending};
    step.wait = Wait{WaitsFor::NextStart};
    return step;
}

std::optional<Step> decide_warning(const World& world, const DesiredServer& desired,
                                   const ObservedServer& observed, TimePoint since, const char* fate,
                                   const std::string& message) {
    const TimePoint now = world.observed.now;
    if (observed.console_rendering.empty() || !observed.mounted_port || is_suspended(world, desired.name))
        return std::nullopt;
    const auto deadline = deadline_of(desired.rollout, world.observed.local, since);
    if (!deadline || *deadline <= now) return std::nullopt;
    auto due = latest_warning(desired.rollout, *deadline, now);
    // Nobody was told of a wait that has only begun, whatever they were told before.
    if (due && since < now) due = std::max(*due, since);
    const Remembered* const memory = world.memory.find(desired.name);
    // After the clock was set back the deadline moves along: once is enough.
    if (memory != nullptr && memory->warned && since >= now) return std::nullopt;
    if (!due || (memory != nullptr && memory->warned && *memory->warned >= *due)) return std::nullopt;
    const std::string left = left_text(*deadline - now);
    const std::string text = fmt::format("This server is {} in {}.", fate, left);
    Step warn{Verb::Warn, fmt::format("the players are told that it is {} in {}", fate, left), {}, {}};
    // Within quotation marks, a `;` ends no command and `//` begins no comment.
    warn.console =
        ConsoleCommand{*observed.mounted_port, observed.console_rendering,
                       message.empty() ? "say " + text : fmt::format("say \"{} {}\"", text, message)};
    return warn;
}

std::optional<Step> decide_hang(const World& world, const ServerDraft& draft) {
    const DesiredServer& desired = *draft.desired();
    const ObservedServer& observed = *draft.observed;
    if (response_of(desired, observed, world.observed) != Response::Silent) return std::nullopt;
    Health health = desired.health;
    // Its change is to blame, and it has somewhere to return to, where it is not yet.
    if (draft.back_to != nullptr && observed.stack() && *observed.stack() != draft.back_to->layers)
        health.unresponsive = silent_after;
    const Silence silence = judge_silence(health, observed, world.target, world.observed);
    if (!silence.is_restarted) return std::nullopt;
    Step step = while_empty(restart(silence.why, Cause::Hang), observed);
    step.while_empty->hangs = true;
    return step;
}

std::optional<Step> decide_slow(const World& world, const DesiredServer& desired,
                                const ObservedServer& observed) {
    if (desired.health.degraded.action != DegradedAction::RestartWhenEmpty) return std::nullopt;
    const Remembered* const memory = world.memory.find(desired.name);
    if (memory == nullptr || keeps_up(memory->tick, observed) != false) return std::nullopt;
    const std::string text = slow_text(desired, observed);
    const TimePoint due = restart_due(memory->tick);
    // A start in the future was seen with another clock.
    if (due > world.observed.now && *memory->tick.start <= world.observed.now &&
        !world.intent.retries(memory->tick.slow_since)) {
        const unsigned restarts = memory->tick.in_vain;
        return Step{Verb::Hold,
                    fmt::format("{}; {} restart{} not helped: no other before {}", text, restarts,
                                restarts == 1 ? " has" : "s have",
                                local_text(world.observed.local, due, world.observed.now)),
                    {},
                    HoldReason::Degraded,
                    Cause::Slow};
    }
    if (is_empty(observed))
        return while_empty(restart(text + ", and nobody is playing", Cause::Slow), observed);
    Step hold{
        Verb::Hold, fmt::format("{}; {}", text, waits_text(observed)), {}, HoldReason::Degraded, Cause::Slow};
    hold.wait = Wait{WaitsFor::Empty};
    return while_empty(std::move(hold), observed);
}

std::optional<Step> decide_request(const World& world, const std::string& server,
                                   const ObservedServer& observed) {
    const RestartRequest* const request = request_for(world.intent.restarts, server);
    if (request == nullptr || !is_restart_due(*request, server, observed)) return std::nullopt;
    const std::string text = request_text(*request);
    const Step now{Verb::Restart, text, {}, {}, Cause::Request, request->by};
    if (!request->when_empty) return now;
    if (!is_empty(observed)) {
        Step hold{
            Verb::Hold, fmt::format("{}; {}", text, waits_text(observed)), {}, HoldReason::RestartPending};
        hold.wait = Wait{WaitsFor::Empty};
        return while_empty(std::move(hold), observed);
    }
    Step restart = while_empty(now, observed);
    restart.reason += ", when empty; nobody plays";
    return restart;
}

}  // namespace left4me::draft
