#pragma once

#include <string>
#include <string_view>

#include "adapters/systemd/bus.hpp"
#include "adapters/systemd/units.hpp"

namespace left4me {

/// systemd's Result in the words of conditions: "start-limit-hit" → "StartLimitHit".
FailureKind reason_of_result(std::string_view result);

/// How the job of a request ended, from JobRemoved's word: "done", "timeout", "canceled", … A job that failed
/// is better told with the unit's own Result, by failed_outcome().
UnitOutcome job_outcome(const std::string& server, std::string_view job_result);

/// `result` is the unit's Result after a failed job; `detail` says more, or is empty.
UnitOutcome failed_outcome(const std::string& server, const std::string& result, const std::string& detail);

/// What a D-Bus error means to somebody who runs a host, and what to do about it.
UnitOutcome refused_outcome(const std::string& server, const BusError& error);

}  // namespace left4me
