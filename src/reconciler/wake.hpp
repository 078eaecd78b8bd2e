#pragma once

#include <optional>

#include "reconciler/status.hpp"

namespace left4me {

/// When time alone will make a difference: the next try of what failed, the deadline of a change that waits
/// for players, the opening of its window, the next refresh of an overlay, the end of a suspension, the
/// moment from which on a server that has just started is Ready. `status` and `remaining` are those of the
/// last pass, which looked at `now`. nullopt: never; only an event of the host or the source can.
std::optional<TimePoint> earliest_wake(const Target& target, const Intent& intent, const Status& status,
                                       const Plan& remaining, TimePoint now, const LocalTime& local = {});

}  // namespace left4me
