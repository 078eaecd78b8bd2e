#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reconciler/observed.hpp"
#include "reconciler/target.hpp"
#include "reconciler/time.hpp"

namespace left4me {

struct Plan;

/// A stop that waits until nobody plays.
struct Drain {
    static constexpr std::size_t max_message = 100;  ///< in bytes

    std::string by;  ///< never empty
    TimePoint at;
    /// As Rollout's: how long it waits, or until which time of day. Neither: for ever.
    std::optional<std::chrono::seconds> deadline = {};
    std::optional<std::chrono::minutes> deadline_at = {};
    std::string message = {};  ///< for the players, with each warning; as is_message() allows; may be empty
    /// A pass has seen the manifests say Stopped, and has let it wait. What becomes of it is not judged anew.
    bool begun = false;

    bool operator==(const Drain&) const = default;
};

/// Servers that a person stopped or deleted by one command. What it takes down is judged by itself, and not
/// as a part of whatever else the source's revision takes down.
struct StopRequest {
    std::set<std::string> servers;
    bool removes = false;             ///< deletes them; a stop asks for less
    bool waits = false;               ///< it was too many at once: what is left of it needs approval, too
    std::optional<Drain> drain = {};  ///< nullopt: it stops them at once

    /// Whether it asks for what happens to the server. `target`: as for must_go_down().
    bool asks_for(const std::string& server, const TargetServer* target) const {
        return servers.contains(server) && (target != nullptr || removes);
    }

    bool operator==(const StopRequest&) const = default;
};

/// A server is in one of them at most.
using StopRequests = std::vector<StopRequest>;

/// Inactive, unmounted, and not started at boot.
bool is_stopped(const ObservedServer& server);

/// The manifests want the server stopped or deleted, and it is not yet. `target`: nullptr if it is not in the
/// manifests.
bool must_go_down(const TargetServer* target, const ObservedServer& observed);

/// Takes servers out of all requests.
void withdraw(StopRequests& requests, const std::set<std::string>& servers);
/// Adds a request, and takes its servers out of all others.
void add_request(StopRequests& requests, StopRequest request);

/// nullptr: the server is not to be drained.
const Drain* drain_of(const StopRequests& requests, const std::string& server);
/// How a drain waits, as a rollout. `server`: the server's own, whose warnings it has.
Rollout rollout_of(const Drain& drain, const Rollout& server);
/// Since when it waits. `remembered`: Remembered::draining_since.
TimePoint waits_since(const Drain& drain, const std::optional<TimePoint>& remembered, TimePoint now);
/// One line that the console of a game takes as a whole: without `"`, at most Drain::max_message bytes.
bool is_message(std::string_view text);
/// "the drain that alice asked for at 2026-03-01 12:00 UTC".
std::string drain_text(const Drain& drain);

/// Without the servers that are down, and those that the manifests want Running again. A drain that has not
/// begun stays: this target may be older than the edit that it belongs to. `difference`: of the
/// same pass; requests of which it holds something wait from then on.
StopRequests open_requests(const StopRequests& requests, const Target& target, const Observed& observed,
                           const Plan& difference);

}  // namespace left4me
