#include "reconciler/restart_request.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace left4me {
namespace {

bool is_over(const RestartRequest& request, const std::string& server, const Target& target,
             const Observed& observed) {
    const TargetServer* const wanted = target.find(server);
    if (wanted == nullptr || wanted->spec->state != RunState::Running) return true;
    const auto found = observed.servers.find(server);
    if (found == observed.servers.end()) return false;
    const ObservedServer& seen = found->second;
    return seen.unit.active == ActiveState::Active && !seen.invocation.empty() &&
           !is_restart_due(request, server, seen);
}

}  // namespace

const RestartRequest* request_for(const RestartRequests& requests, const std::string& server) {
    const auto found = std::find_if(requests.begin(), requests.end(), [&](const RestartRequest& request) {
        return request.invocations.contains(server);
    });
    return found == requests.end() ? nullptr : &*found;
}

std::set<std::string> servers_of(const RestartRequests& requests) {
    std::set<std::string> servers;
    for (const RestartRequest& request : requests) {
        for (const auto& [server, invocation] : request.invocations) servers.insert(server);
    }
    return servers;
}

bool is_restart_due(const RestartRequest& request, const std::string& server,
                    const ObservedServer& observed) {
    const auto asked = request.invocations.find(server);
    return asked != request.invocations.end() && observed.unit.active == ActiveState::Active &&
           !observed.invocation.empty() && observed.invocation == asked->second;
}

RestartRequests open_requests(const RestartRequests& requests, const Target& target,
                              const Observed& observed) {
    RestartRequests open;
    for (const RestartRequest& request : requests) {
        const bool over =
            std::all_of(request.invocations.begin(), request.invocations.end(),
                        [&](const auto& entry) { return is_over(request, entry.first, target, observed); });
        if (!over) open.push_back(request);
    }
    return open;
}

std::set<std::string> withdraw(RestartRequests& requests, const std::set<std::string>& servers) {
    std::set<std::string> withdrawn;
    for (RestartRequest& request : requests) {
        for (const std::string& server : servers) {
            if (request.invocations.erase(server) != 0) withdrawn.insert(server);
        }
    }
    std::erase_if(requests, [](const RestartRequest& request) { return request.invocations.empty(); });
    return withdrawn;
}

std::string request_text(const RestartRequest& request) {
    return fmt::format("{} asked for a restart at {}", request.by, date_text(request.at));
}

}  // namespace left4me
