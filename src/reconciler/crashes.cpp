#include "reconciler/crashes.hpp"

#include <algorithm>

namespace left4me {
namespace {

constexpr std::chrono::seconds shortest{5};
constexpr std::chrono::seconds longest{60};

}  // namespace

unsigned new_crashes(const Crashes& seen, const ObservedUnit& unit, TimePoint now) {
    // What could not be started failed, too, but has not crashed.
    if (unit.active == ActiveState::Failed) return seen.active_since && !was_stopped(unit) ? 1 : 0;
    if (unit.active != ActiveState::Active || !unit.active_since || unit.active_since == seen.active_since)
        return 0;
    // Without anything to compare with, what systemd has counted may be weeks old.
    const bool is_old = now - *unit.active_since >= crashes_forgotten_after;
    if (!seen.active_since && seen.restarts == 0 && is_old) return 0;
    return unit.restarts >= seen.restarts ? unit.restarts - seen.restarts : unit.restarts;
}

Crashes next_crashes(const Crashes& seen, const ObservedUnit& unit, unsigned crashed,
                     const std::string& spec_hash, TimePoint now) {
    Crashes next = seen;
    const bool forgotten = seen.last_at && now - *seen.last_at >= crashes_forgotten_after;
    if (seen.last_at && (forgotten || seen.spec_hash != spec_hash)) {
        next.in_a_row = next.latest = 0;
        next.last_at.reset();
        next.spec_hash.clear();
    }
    if (crashed > 0) {
        next.in_a_row += crashed;
        next.latest = crashed;
        next.last_at = now;
        next.spec_hash = spec_hash;
    }
    if (unit.active == ActiveState::Active) {
        next.active_since = unit.active_since;
        next.restarts = unit.restarts;
    } else if (unit.active == ActiveState::Failed) {
        next.active_since.reset();
        next.restarts = 0;
    }
    return next;
}

bool has_stayed_up(const Crashes& crashes, const ObservedUnit& unit, TimePoint now) {
    if (unit.active != ActiveState::Active) return false;
    if (!unit.active_since) return true;
    // One that began just after this observation has not stayed up. One that began in the future: the clock
    // was set back, and nobody shall wait for it to catch up.
    const auto up_for = now - *unit.active_since;
    return up_for >= min_ready(crashes) || up_for < -min_ready(crashes);
}

std::chrono::seconds min_ready(const Crashes& crashes) {
    return std::min(longest, shortest * (1 << std::min(crashes.in_a_row, 4U)));
}

}  // namespace left4me
