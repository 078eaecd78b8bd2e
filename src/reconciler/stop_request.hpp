#pragma once

#include <set>
#include <string>
#include <vector>

#include "reconciler/observed.hpp"
#include "reconciler/target.hpp"

namespace left4me {

struct Plan;

/// Servers that a person stopped or deleted by one command. What it takes down is judged by itself, and not
/// as a part of whatever else the source's revision takes down.
struct StopRequest {
    std::set<std::string> servers;
    bool removes = false;  ///< deletes them; a stop asks for less
    bool waits = false;    ///< it was too many at once: what is left of it needs approval, too

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

/// Adds a request, and takes its servers out of all others.
void add_request(StopRequests& requests, StopRequest request);

/// Without the servers that are down, and those that the manifests want Running again. `difference`: of the
/// same pass; requests of which it holds something wait from then on.
StopRequests open_requests(const StopRequests& requests, const Target& target, const Observed& observed,
                           const Plan& difference);

}  // namespace left4me
