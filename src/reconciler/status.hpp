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

/// As in Kubernetes: one aspect of a server, when it last changed, and why.
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
    std::int64_t generation = 0;  ///< counts changes of this server's specification, from 1
    std::string specification;    ///< fingerprint of the last specification, to detect changes
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
    /// next_status() keeps it; the reader of the source sets and clears it.
    std::string source_error;  ///< why the source or its newest revision cannot be used; empty: it can
    std::optional<TimePoint> last_pass;
    std::map<std::string, ServerStatus> servers;
    std::map<std::string, Backoff> overlays;          ///< those whose last build failed
    std::map<std::string, Refreshed> refreshes = {};  ///< of the overlays that have one
    Tuned tuned = {};
    /// What was last known of how builds in units ended, by overlay: each is told of once.
    std::map<std::string, BuildRecord> builds;
};

/// True if they differ only in when the host was observed.
bool says_the_same(const Status& one, const Status& other);

/// The status after a pass. Pure: computed from the target, the observation, the plan and its outcomes.
/// `remaining` was planned from the other arguments: what still differs. `previous` provides transition
/// times; `memory` is the result of apply_outcomes().
Status next_status(const Status& previous, const Target& target, const Observed& observed,
                   const Memory& memory, const Intent& intent, const Plan& attempted,
                   std::span<const Outcome> outcomes, const Plan& remaining);

}  // namespace left4me
