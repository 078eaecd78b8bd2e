#pragma once

#include "reconciler/local_time.hpp"

namespace left4me {

/// The host's time zone as it is configured now, from a day before `now` until four days after it.
LocalTime local_time(TimePoint now);

}  // namespace left4me
