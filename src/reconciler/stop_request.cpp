#include "reconciler/stop_request.hpp"

#include <algorithm>
#include <utility>

#include "reconciler/plan.hpp"

namespace left4me {
namespace {

bool is_open(const std::string& server, const Target& target, const Observed& observed) {
    const auto found = observed.servers.find(server);
    return found != observed.servers.end() && must_go_down(target.find(server), found->second);
}

bool is_held(const StopRequest& request, const Target& target, const Plan& difference) {
    return std::any_of(difference.actions.begin(), difference.actions.end(), [&](const Action& action) {
        return action.code == HoldReason::ApprovalRequired && action.subject.kind == Kind::Server &&
               request.asks_for(action.subject.name, target.find(action.subject.name));
    });
}

void drop_empty(StopRequests& requests) {
    std::erase_if(requests, [](const StopRequest& request) { return request.servers.empty(); });
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

void add_request(StopRequests& requests, StopRequest request) {
    for (StopRequest& other : requests) {
        for (const std::string& server : request.servers) other.servers.erase(server);
    }
    requests.push_back(std::move(request));
    drop_empty(requests);
}

StopRequests open_requests(const StopRequests& requests, const Target& target, const Observed& observed,
                           const Plan& difference) {
    StopRequests open = requests;
    for (StopRequest& request : open) {
        request.waits = request.waits || is_held(request, target, difference);
        std::erase_if(request.servers,
                      [&](const std::string& server) { return !is_open(server, target, observed); });
    }
    drop_empty(open);
    return open;
}

}  // namespace left4me
