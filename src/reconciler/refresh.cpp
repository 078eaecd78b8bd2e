#include "reconciler/refresh.hpp"

#include <algorithm>

namespace left4me {

TimePoint refresh_due(const Calendar& calendar, const Refreshed& refreshed, const LocalTime& local) {
    const TimePoint due = local.next(calendar, refreshed.at);
    return std::max(due, refreshed.backoff.retry_at.value_or(due));
}

}  // namespace left4me
