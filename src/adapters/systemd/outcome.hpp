#pragma once

#include <string>
#include <string_view>

#include "adapters/systemd/bus.hpp"
#include "adapters/systemd/units.hpp"

namespace left4me {

/// Converts systemd's Result to the form of conditions: "start-limit-hit" → "StartLimitHit".
FailureKind reason_of_result(std::string_view result);

/// The outcome of a job from JobRemoved's result: "done", "timeout", "canceled", … For a failed job,
/// failed_outcome() with the unit's own Result is more precise.
UnitOutcome job_outcome(const std::string& server, std::string_view job_result);

/// `result` is the unit's Result after a failed job; `detail` adds to it, or is empty.
UnitOutcome failed_outcome(const std::string& server, const std::string& result, const std::string& detail);

/// Explains a D-Bus error to an operator, with the remedy.
UnitOutcome refused_outcome(const std::string& server, const BusError& error);

}  // namespace left4me
