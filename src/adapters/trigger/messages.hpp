#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "reconciler/report.hpp"

namespace left4me {

/// "Observe again": the one line that a client sends, {"retry": true, "actor": "alice"} or an empty one.
struct TriggerRequest {
    bool retry = false;      ///< a person asks: what failed lately is tried now
    std::string actor = {};  ///< the person for whom root or left4me asks; of others the kernel tells
};

/// A longer request is none.
inline constexpr std::size_t max_request_bytes = 4096;

/// Both end with a newline.
std::string request_line(const TriggerRequest& request);
/// {revision, source{trouble, message}, hostError, agree, differ, difference[{verb, subject, reason, code,
/// drift}], underWay[the same], ended[the same and done, failure, message, milliseconds], seen}. What is
/// empty or false is left out. Fields are added, never renamed.
std::string report_line(const StepReport& report);

/// nullopt: not a JSON object, or not of this kind. Unknown keys are ignored.
std::optional<TriggerRequest> parse_request(std::string_view line);
/// nullopt: not a JSON object. What is missing, unknown or of another type is left out.
std::optional<StepReport> parse_report(std::string_view line);

}  // namespace left4me
