#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "reconciler/host.hpp"

namespace left4me {

enum class ConditionStatus { True, False, Unknown };
const char* to_string(ConditionStatus status);

/// As Kubernetes has it: one aspect of a server, when it last changed, and why.
struct Condition {
    std::string type;  ///< "Ready", "Reconciling", "Stalled"
    ConditionStatus status = ConditionStatus::Unknown;
    ConditionReason reason;
    std::string message;  ///< a sentence, for people
    TimePoint last_transition;
    std::int64_t observed_generation = 0;

    bool operator==(const Condition&) const = default;
};

/// What is remembered and shown about one server.
struct ServerStatus {
    std::int64_t generation = 0;  ///< counts changes of what is asked of this server, from 1
    std::string specification;    ///< fingerprint of what was asked last (to tell when to count)
    Remembered remembered;
    std::string last_attempted_revision;
    std::string last_applied_revision;
    std::vector<Condition> conditions;  ///< Ready, Reconciling, Stalled, in this order

    const Condition* find(const std::string& type) const;
    bool operator==(const ServerStatus&) const = default;
};

struct Status {
    std::string last_attempted_revision;
    std::string last_applied_revision;
    /// Kept as it was by next_status(): whoever reads the source sets and clears it.
    std::string source_error;  ///< why the source or its newest revision could not be used; empty: it could
    std::optional<TimePoint> last_pass;
    std::map<std::string, ServerStatus> servers;
    std::map<std::string, Backoff> overlays;  ///< those that could not be built lately
    /// What was last known of how builds in units ended, by overlay: each is told of once.
    std::map<std::string, BuildRecord> builds;
};

/// They differ in nothing but when the host was looked at.
bool says_the_same(const Status& one, const Status& other);

/// The status after a pass: pure, from what was asked, what stands now, what was planned and how it ended.
/// `remaining` was planned from the other arguments: what still differs. `previous` gives transition times,
/// `memory` holds what apply_outcomes() has learned.
Status next_status(const Status& previous, const Target& target, const Observed& observed,
                   const Memory& memory, const Intent& intent, const Plan& attempted,
                   std::span<const Outcome> outcomes, const Plan& remaining);

}  // namespace left4me
