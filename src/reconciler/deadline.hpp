#pragma once

#include <optional>
#include <string>

#include "reconciler/local_time.hpp"

namespace left4me {

/// When a change that has waited since then is made even with players on the server, which is within the
/// rollout's window; nullopt: never.
std::optional<TimePoint> deadline_of(const Rollout& rollout, const LocalTime& local, TimePoint since);

/// The last of the moments before the deadline at which players are to be warned that is not after `now`;
/// nullopt: it is too early for any.
std::optional<TimePoint> latest_warning(const Rollout& rollout, TimePoint deadline, TimePoint now);

/// "10 minutes", "30 seconds".
std::string left_text(TimePoint::duration left);

}  // namespace left4me
