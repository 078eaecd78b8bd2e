#pragma once

#include <span>
#include <string>
#include <vector>

#include "reconciler/status.hpp"

namespace left4me {

/// One thing that happened, for people and programs that ask later.
struct Event {
    TimePoint at{};
    std::string subject;  ///< "server/comp1", "overlay/maps", "source", "left4me"
    bool warning = false;
    std::string reason;   ///< CamelCase: what
    std::string message;  ///< a sentence: why
    std::string revision;
    std::string actor;   ///< who, where the host can tell
    bool drift = false;  ///< a correction of what nobody asked for in the manifests
    /// Drift: when all was last seen to be right. For whoever looks for the culprit; not kept.
    std::optional<TimePoint> right_at;
    /// How often it happened, from `at` on. Crashes come in numbers.
    unsigned count = 1;
    TimePoint last{};                        ///< the last time
    bool crash = false;                      ///< the recorder looks up what the game ended with
    std::optional<TimePoint> up_since = {};  ///< a crash: since when the game was up, if that is known

    bool operator==(const Event&) const = default;
};

/// The reason of a crash.
inline constexpr const char* crashed_reason = "Crashed";

/// What a pass was worth telling: each action that was carried out or failed, each condition that changed for
/// better or worse, another revision, trouble with the source. A pass that changes nothing gives nothing.
/// `before` and `after`: the status when the pass began and when it had ended.
std::vector<Event> events_of(const Status& before, const std::string& revision, const Intent& intent,
                             const Plan& attempted, std::span<const Outcome> outcomes, const Status& after);

}  // namespace left4me
