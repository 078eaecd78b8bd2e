#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "reconciler/reason.hpp"
#include "reconciler/scheduled.hpp"
#include "reconciler/tick.hpp"
#include "reconciler/time.hpp"
#include "reconciler/verb.hpp"

namespace left4me {

/// Recent failures and the time of the next retry; see backoff.hpp.
struct Backoff {
    unsigned failures = 0;  ///< in a row, each less than ten minutes after the previous one
    std::optional<TimePoint> failed_at;
    std::optional<TimePoint> retry_at;
    bool crashed = false;  ///< the last one: the unit failed, or could not be started
    /// The last failure has been counted but not corrected yet. The corrective restart does not count as a
    /// second failure.
    bool pending = false;
    FailureKind reason = FailureKind::Unknown;  ///< of the last one
    std::string message;
    /// The specification at the time of the failure; a different one is tried immediately.
    std::string spec_hash;
    /// The verb that failed last; nullopt: the unit failed by itself, or unknown.
    std::optional<Verb> verb = {};
    std::optional<TimePoint> corrected_at = {};  ///< when a restart corrected the last failure

    bool operator==(const Backoff&) const = default;
};

/// The crashes of one server that were seen lately; see crashes.hpp.
struct Crashes {
    unsigned in_a_row = 0;  ///< each less than ten minutes after the one before
    unsigned latest = 0;    ///< how many of them were seen at `last_at`
    std::optional<TimePoint> last_at = {};
    std::string spec_hash = {};  ///< what was asked at `last_at`; anything else begins anew
    /// ObservedUnit's as it was seen Active for the last time; nullopt: not since it failed.
    std::optional<TimePoint> active_since = {};
    unsigned restarts = 0;

    bool operator==(const Crashes&) const = default;
};

/// How the renderings of a server have proven themselves; see canary.hpp. They are named by their digests.
struct Trial {
    std::string rendering;             ///< the one that it runs with; empty: nothing is known
    std::optional<TimePoint> healthy;  ///< since when, without interruption
    std::string failure;               ///< why `failed` has failed; empty: none has
    std::string failed = {};
    std::optional<TimePoint> failed_at = {};  ///< nullopt: none has, or an earlier version saw it
    /// The last one that was healthy for the soak time. Before there is any: the one that `rendering` came
    /// after.
    std::string fallback = {};

    bool operator==(const Trial&) const = default;
};

/// A cvar that was set in a game, and has not been seen with that value since.
struct CvarTry {
    std::string value;
    TimePoint at;

    bool operator==(const CvarTry&) const = default;
};

/// What is remembered about one server.
struct Remembered {
    std::string fingerprint;  ///< of what was last fully applied; see fingerprint()
    /// When a change began to wait for its rollout; until its restart has begun.
    std::optional<TimePoint> held_since;
    /// The same of a stop that waits for the players.
    std::optional<TimePoint> draining_since = {};
    /// When its players were last told of a deadline, or could not be told.
    std::optional<TimePoint> warned = {};
    ScheduleMemory schedule = {};
    std::map<std::string, CvarTry> cvars = {};
    /// The revision that was the first to ask for a stop or deletion of this server that needs approval,
    /// until that is done or not asked for any more; empty: none. Later revisions do not change what is to be
    /// approved, and do not make it look less harmful because they start other servers.
    std::string awaits_approval;
    bool awaits_removal = false;  ///< that revision deletes the server; a stop alone is less
    std::string set_aside = {};   ///< ObservedServer::set_aside, as last reported
    Backoff backoff;
    Crashes crashes = {};
    Trial trial = {};  ///< of the rendering that it runs with; only if its Blueprint has canaries
    TickMemory tick = {};

    bool operator==(const Remembered&) const = default;
};

/// What is remembered about the `refresh` of one overlay; see plan_refresh.cpp.
struct Refreshed {
    TimePoint at;     ///< the last time, or since when it is asked for
    Backoff backoff;  ///< since then

    bool operator==(const Refreshed&) const = default;
};

/// What is remembered about the drop-ins of left4me.
struct Tuned {
    std::string applied;  ///< tuning_hash() of what was last found as asked; empty: nothing was
    Backoff backoff = {};

    bool operator==(const Tuned&) const = default;
};

/// State that depends on time, from the status of earlier passes. Losing it is safe: waits start over, and
/// differences of a server with `drift: Report` are reported.
struct Memory {
    std::map<std::string, Remembered> servers;
    std::map<std::string, Backoff> overlays;          ///< those whose last build failed
    std::map<std::string, Refreshed> refreshes = {};  ///< of the overlays that have one
    Tuned tuned = {};
    /// Servers for which an action has been begun that has not ended: the host may not show it yet.
    std::set<std::string> under_way = {};

    const Remembered* find(const std::string& server) const;
};

}  // namespace left4me
