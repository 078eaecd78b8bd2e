#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "reconciler/reason.hpp"
#include "reconciler/time.hpp"
#include "reconciler/verb.hpp"

namespace left4me {

/// What failed lately and when it is tried again; see backoff.hpp.
struct Backoff {
    unsigned failures = 0;  ///< in a row, each less than ten minutes after the one before
    std::optional<TimePoint> failed_at;
    std::optional<TimePoint> retry_at;
    bool crashed = false;  ///< the last one: the unit failed, or could not be started
    /// That failure has been counted but not corrected yet. Its correction is not a second failure.
    bool pending = false;
    FailureKind reason = FailureKind::Unknown;  ///< of the last one
    std::string message;
    std::string asked;              ///< what was asked when it failed; anything else is tried at once
    std::optional<Verb> verb = {};  ///< what failed the last time; nullopt: the unit by itself, or not known

    bool operator==(const Backoff&) const = default;
};

/// The crashes of one server that were seen lately; see crashes.hpp.
struct Crashes {
    unsigned in_a_row = 0;  ///< each less than ten minutes after the one before
    unsigned latest = 0;    ///< how many of them were seen at `last_at`
    std::optional<TimePoint> last_at = {};
    std::string asked = {};  ///< what was asked at `last_at`; anything else begins anew
    /// ObservedUnit's as it was seen Active for the last time; nullopt: not since it failed.
    std::optional<TimePoint> active_since = {};
    unsigned restarts = 0;

    bool operator==(const Crashes&) const = default;
};

/// What is remembered about one server.
struct Remembered {
    std::string fingerprint;              ///< of what was last fully applied, see fingerprint()
    std::optional<TimePoint> held_since;  ///< since when a change waits for its rollout
    /// The revision whose stop or deletion of this server waits for approval. Without it, the servers that
    /// the same revision starts would make it look harmless by and by.
    std::string awaits_approval;
    std::string set_aside = {};  ///< ObservedServer::set_aside, as it was told of
    Backoff backoff;
    Crashes crashes = {};

    bool operator==(const Remembered&) const = default;
};

/// What only time can tell, from the status of earlier passes. Losing it is safe: waits begin anew, and a
/// difference of a server with `drift: Report` is reported.
struct Memory {
    std::map<std::string, Remembered> servers;
    std::map<std::string, Backoff> overlays;  ///< those that could not be built lately
    /// Servers for which an action has been begun that has not ended: the host may not show it yet.
    std::set<std::string> under_way = {};

    const Remembered* find(const std::string& server) const;
};

}  // namespace left4me
