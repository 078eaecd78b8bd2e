#include "reconciler/reset_request.hpp"

#include <fmt/format.h>

#include "reconciler/crashes.hpp"
#include "specs/text.hpp"

namespace left4me {
namespace {

bool is_over(const ResetRequest& request, const std::string& server, const Target& target,
             const Observed& observed) {
    const auto found = observed.servers.find(server);
    const TargetServer* const wanted = target.find(server);
    // What the manifests do not name is purged anyway, if left4me may do that.
    if (wanted == nullptr || found == observed.servers.end()) return true;
    if (is_reset_due(request, found->second)) return false;
    switch (found->second.unit.active) {
        case ActiveState::Active:
            return true;
        case ActiveState::Failed:  // by a start that was tried, unless the game had to be killed to stop it
            if (!was_stopped(found->second.unit)) return true;
            break;
        case ActiveState::Inactive:
        case ActiveState::Activating:
        case ActiveState::Deactivating:
            break;
    }
    return wanted->spec->state != RunState::Running;
}

}  // namespace

bool is_reset_due(const ResetRequest& request, const ObservedServer& observed) {
    return !observed.runtime.empty() && observed.runtime == request.directory;
}

ResetRequests open_requests(const ResetRequests& requests, const Target& target, const Observed& observed) {
    ResetRequests open;
    for (const auto& [server, request] : requests) {
        if (!is_over(request, server, target, observed)) open.emplace(server, request);
    }
    return open;
}

std::string request_text(const ResetRequest& request) {
    return fmt::format("{} asked for a reset at {}{}{}", request.by, date_text(request.at),
                       request.reason.empty() ? "" : ": ", printable_line(request.reason));
}

}  // namespace left4me
