#include "reconciler/tick.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "reconciler/desired.hpp"
#include "reconciler/observed.hpp"

namespace left4me {
namespace {

using std::chrono::milliseconds;

/// Of the game without an argument: it cannot run faster without a plugin.
constexpr unsigned usual_tickrate = 30;
/// After a restart that has helped for so long, the next one does not wait.
constexpr std::chrono::hours helped_for{1};
constexpr std::chrono::hours first_pause{1};
constexpr std::chrono::hours longest_pause{24};

bool is_too_slow(const ObservedTick& tick, const Degraded& degraded, unsigned tickrate) {
    return tick.rate * 100 < static_cast<double>(degraded.below) * tickrate;
}

}  // namespace

/// desired.cpp writes that text; these words need no quotes. The game uses the first one.
unsigned tickrate_in(std::string_view environment) {
    constexpr std::string_view argument = " -tickrate ";
    const std::size_t at = environment.find(argument);
    if (at == std::string_view::npos) return usual_tickrate;
    const char* const begin = environment.data() + at + argument.size();
    unsigned rate = 0;
    const auto [end, error] = std::from_chars(begin, environment.data() + environment.size(), rate);
    return error == std::errc{} && rate > 0 ? rate : usual_tickrate;
}

unsigned tickrate_of(const DesiredServer& desired, const ObservedServer& server) {
    return tickrate_in(server.mounted_environment.value_or(desired.environment));
}

TickMemory next_tick(const TickMemory& before, const DesiredServer& desired, const ObservedServer& server,
                     TimePoint now) {
    if (server.unit.active != ActiveState::Active || !server.unit.active_since) return before;
    const Degraded& degraded = desired.health.degraded;
    TickMemory next = before;
    if (next.start != server.unit.active_since) {
        next = {};
        next.start = server.unit.active_since;
        if (before.kept_up < helped_for) next.in_vain = before.in_vain;
        if (before.is_slow == true) ++next.in_vain;
    }
    const auto& tick = server.tick;
    if (!tick || tick->players == 0 || tick->asked <= next.read) return next;
    const milliseconds lasted =
        next.read.count() == 0 ? tick_pause : std::min(tick->asked - next.read, tick_pause);
    next.read = tick->asked;
    const bool too_slow = is_too_slow(*tick, degraded, tickrate_of(desired, server));
    if (!too_slow) next.kept_up += lasted;
    next.slow =
        std::clamp<milliseconds>(next.slow + (too_slow ? lasted : -lasted), milliseconds(0), degraded.lasts);
    if (next.slow == degraded.lasts && next.is_slow != true) {
        next.is_slow = true;
        next.slow_since = now;
    }
    if (next.slow == milliseconds(0)) {
        next.is_slow = false;
        next.slow_since.reset();
    }
    return next;
}

std::optional<bool> keeps_up(const TickMemory& memory, const ObservedServer& server) {
    const bool is_of_this_game = server.unit.active == ActiveState::Active && server.unit.active_since &&
                                 memory.start == server.unit.active_since;
    if (!is_of_this_game || !memory.is_slow) return std::nullopt;
    return !*memory.is_slow;
}

std::string slow_text(const DesiredServer& desired, const ObservedServer& server) {
    return fmt::format("the game runs with less than {}% of its {} frames per second",
                       desired.health.degraded.below, tickrate_of(desired, server));
}

TimePoint restart_due(const TickMemory& memory) {
    const TimePoint start = memory.start.value_or(TimePoint());
    if (memory.in_vain == 0 || memory.kept_up >= helped_for) return start;
    const unsigned doublings = std::min(memory.in_vain - 1, 5U);
    return start + std::min(first_pause * (1U << doublings), longest_pause);
}

}  // namespace left4me
