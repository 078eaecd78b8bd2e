#pragma once

#include <span>
#include <string>
#include <vector>

#include "reconciler/status.hpp"

namespace left4me {

/// One event, for people and programs that ask later.
struct Event {
    TimePoint at{};
    std::string subject;  ///< "server/comp1", "overlay/maps", "source", "left4me"
    bool warning = false;
    std::string reason;   ///< CamelCase: what happened
    std::string message;  ///< a sentence: why
    std::string revision;
    std::string actor;   ///< who caused it, if known
    bool drift = false;  ///< corrects a change that no manifest asked for
    /// Drift: when the server was last observed as correct. Used for the attribution; not stored.
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

/// The events of a pass: each action that was executed or failed, each condition that got better or worse, a
/// new revision, errors of the source. A pass that changes nothing has none. `before` and `after`: the status
/// at the beginning and at the end of the pass.
std::vector<Event> events_of(const Status& before, const std::string& revision, const Intent& intent,
                             const Plan& attempted, std::span<const Outcome> outcomes, const Status& after);

}  // namespace left4me
