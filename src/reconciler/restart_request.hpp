#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "reconciler/observed.hpp"
#include "reconciler/target.hpp"
#include "reconciler/time.hpp"

namespace left4me {

/// A person asked for these servers to be restarted, all at one time.
struct RestartRequest {
    std::string by;  ///< never empty
    TimePoint at;
    bool when_empty = false;  ///< each server waits until nobody plays there
    /// At most a tenth of these servers, and at least one, are down at the same time.
    bool staggered = false;
    /// By server: the invocation that was running when the restart was asked for. A restart is due while that
    /// one is still running. Any other invocation is the restart, whoever made it, so a request is never
    /// carried out twice: not after a crash at any instant, not after a reboot, not when the clock is set.
    std::map<std::string, std::string> invocations;

    bool operator==(const RestartRequest&) const = default;
};

/// In the order in which they were made. A server is in one of them at most.
using RestartRequests = std::vector<RestartRequest>;

/// The request that names the server, whether its restart is still due or not; else nullptr.
const RestartRequest* request_for(const RestartRequests& requests, const std::string& server);
std::set<std::string> servers_of(const RestartRequests& requests);

/// The server still runs as it did when the restart was asked for.
bool is_restart_due(const RestartRequest& request, const std::string& server, const ObservedServer& observed);

/// Without what is over. A request stays as a whole until all of its servers that the manifests want Running
/// run again: until then, those that are down count.
RestartRequests open_requests(const RestartRequests& requests, const Target& target,
                              const Observed& observed);

/// Takes servers out of all requests; returns those that were in one.
std::set<std::string> withdraw(RestartRequests& requests, const std::set<std::string>& servers);

/// "alice asked for a restart at 2026-03-01 12:00 UTC".
std::string request_text(const RestartRequest& request);

}  // namespace left4me
