#pragma once

#include <chrono>
#include <string>

#include "reconciler/memory.hpp"
#include "reconciler/observed.hpp"

namespace left4me {

/// A crash long ago says nothing about the next one.
inline constexpr std::chrono::minutes crashes_forgotten_after{10};

/// The game was killed because it did not stop in time (TimeoutStopSec=). The unit has Restart=always, so
/// systemd starts one that ended by itself again: only a stop that somebody asked for leaves the unit failed
/// with this result.
inline bool was_stopped(const ObservedUnit& unit) {
    return unit.active == ActiveState::Failed && unit.failure == FailureKind::Timeout;
}

/// How many times the unit has ended by itself since `seen`: systemd started it again, or it failed for good.
/// A stop that somebody asked for is none.
unsigned new_crashes(const Crashes& seen, const ObservedUnit& unit, TimePoint now);

/// What is remembered after the unit was seen like this; `crashed` is new_crashes(). `spec_hash`:
/// server_spec_hash() of the server, needed only if it has crashed.
Crashes next_crashes(const Crashes& seen, const ObservedUnit& unit, unsigned crashed,
                     const std::string& spec_hash, TimePoint now);

/// How long a unit must have been active to be Ready, as minReadySeconds of a Kubernetes Deployment: 5 s, and
/// after each crash in a row twice as long, up to one minute. A game that crashes at its start does so within
/// seconds; five starts within a minute are systemd's own limit (StartLimitBurst=), so that longer than that
/// no fast loop can last.
std::chrono::seconds min_ready(const Crashes& crashes);

/// An active unit that has stayed up for min_ready().
bool has_stayed_up(const Crashes& crashes, const ObservedUnit& unit, TimePoint now);

/// It crashed again after it had been started again.
inline bool crashes_again(const Crashes& crashes) { return crashes.in_a_row >= 2; }

}  // namespace left4me
