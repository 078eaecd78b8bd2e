#pragma once

#include <span>

#include "reconciler/events.hpp"

namespace left4me {

/// Tells the journal of each, with fields to filter by: SERVER= or OVERLAY=, REASON=, REVISION=, ACTOR=,
/// DRIFT=, COUNT=, and a MESSAGE_ID= a kind (docs/events.md). Where there is no journal, nothing happens.
void log_events(std::span<const Event> events);

}  // namespace left4me
