#include "reconciler/stop_request.hpp"

namespace left4me {
namespace {

bool is_open(const std::string& server, const Target& target, const Observed& observed) {
    const auto found = observed.servers.find(server);
    return found != observed.servers.end() && must_go_down(target.find(server), found->second);
}

}  // namespace

bool is_stopped(const ObservedServer& server) {
    return server.unit.active == ActiveState::Inactive && !server.stack() &&
           server.unit.enablement != Enablement::Enabled;
}

bool must_go_down(const TargetServer* target, const ObservedServer& observed) {
    if (target == nullptr) return observed.managed;
    return target->spec->state == RunState::Stopped && !is_stopped(observed);
}

void add(StopRequests& requests, const std::set<std::string>& servers) {
    for (std::set<std::string>& request : requests) {
        for (const std::string& server : servers) request.erase(server);
    }
    std::erase_if(requests, [](const std::set<std::string>& request) { return request.empty(); });
    if (!servers.empty()) requests.push_back(servers);
}

StopRequests open_requests(const StopRequests& requests, const Target& target, const Observed& observed) {
    StopRequests open = requests;
    for (std::set<std::string>& request : open) {
        std::erase_if(request, [&](const std::string& server) { return !is_open(server, target, observed); });
    }
    std::erase_if(open, [](const std::set<std::string>& request) { return request.empty(); });
    return open;
}

}  // namespace left4me
