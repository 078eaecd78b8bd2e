#pragma once

#include <optional>
#include <string>

#include "reconciler/local_time.hpp"
#include "reconciler/memory.hpp"
#include "specs/grammars/calendar.hpp"

namespace left4me {

/// When a refresh is due that is remembered so: the first of its times after the last one that was made,
/// which is now past if the host was off, or, after a failure, the next try. Several times that were missed
/// are one.
TimePoint refresh_due(const Calendar& calendar, const Refreshed& refreshed, const LocalTime& local);

}  // namespace left4me
