#include "reconciler/stop_request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <concepts>
#include <utility>

#include "reconciler/plan.hpp"
#include "specs/text.hpp"

namespace left4me {
namespace {

/// Without `warn` in the manifest. A stop that nobody announces is not what a person means who names a time.
constexpr std::array default_warnings{std::chrono::seconds(600), std::chrono::seconds(60)};

bool has_begun(const StopRequest& request) { return request.waits || request.drain->begun; }

bool is_open(const StopRequest& request, const std::string& server, const Target& target,
             const Observed& observed) {
    const auto found = observed.servers.find(server);
    if (found == observed.servers.end()) return false;
    return must_go_down(target.find(server), found->second) || (request.drain && !has_begun(request));
}

/// The target has the edit that it belongs to: all servers of one edit come into force together, and a later
/// one may start some of them.
bool is_in_force(const StopRequest& request, const Target& target) {
    return std::any_of(request.servers.begin(), request.servers.end(), [&](const std::string& server) {
        const TargetServer* const wanted = target.find(server);
        return wanted == nullptr || wanted->spec->state == RunState::Stopped;
    });
}

/// One of its servers has an action with such a code.
template <std::same_as<HoldReason>... Codes>
bool has_action(const StopRequest& request, const Target& target, const Plan& difference, Codes... codes) {
    return std::any_of(difference.actions.begin(), difference.actions.end(), [&](const Action& action) {
        return ((action.code == codes) || ...) && action.subject.kind == Kind::Server &&
               request.asks_for(action.subject.name, target.find(action.subject.name));
    });
}

bool is_held(const StopRequest& request, const Target& target, const Plan& difference) {
    return has_action(request, target, difference, HoldReason::ApprovalRequired);
}

/// What no pass has judged, because it leaves the server alone.
bool is_left_alone(const StopRequest& request, const Target& target, const Plan& difference) {
    return has_action(request, target, difference, HoldReason::Suspended, HoldReason::Drift);
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

void withdraw(StopRequests& requests, const std::set<std::string>& servers) {
    for (StopRequest& request : requests) {
        for (const std::string& server : servers) request.servers.erase(server);
    }
    drop_empty(requests);
}

void add_request(StopRequests& requests, StopRequest request) {
    withdraw(requests, request.servers);
    if (!request.servers.empty()) requests.push_back(std::move(request));
}

const Drain* drain_of(const StopRequests& requests, const std::string& server) {
    const auto found = std::find_if(requests.begin(), requests.end(), [&](const StopRequest& request) {
        return request.servers.contains(server);
    });
    return found == requests.end() || !found->drain ? nullptr : &*found->drain;
}

Rollout rollout_of(const Drain& drain, const Rollout& server) {
    Rollout rollout{.policy = RolloutPolicy::WhenEmpty,
                    .deadline = drain.deadline,
                    .deadline_at = drain.deadline_at,
                    .warn = server.warn};
    if (rollout.warn.empty()) rollout.warn.assign(default_warnings.begin(), default_warnings.end());
    return rollout;
}

/// The clock may have been set back since it was asked for: then it waits longer, and never less.
TimePoint waits_since(const Drain& drain, const std::optional<TimePoint>& remembered, TimePoint now) {
    return std::min(std::max(remembered.value_or(now), drain.at), now);
}

bool is_message(std::string_view text) {
    return text.size() <= Drain::max_message && text.find_first_of("\"\n\t") == std::string_view::npos &&
           printable(text) == text;
}

std::string drain_text(const Drain& drain) {
    return fmt::format("the drain that {} asked for at {}", drain.by, date_text(drain.at));
}

StopRequests open_requests(const StopRequests& requests, const Target& target, const Observed& observed,
                           const Plan& difference) {
    StopRequests open = requests;
    for (StopRequest& request : open) {
        const bool held = is_held(request, target, difference);
        const bool may_begin = request.drain && !held && is_in_force(request, target) &&
                               !is_left_alone(request, target, difference);
        if (may_begin) request.drain->begun = true;
        request.waits = held || (request.waits && !may_begin);
        std::erase_if(request.servers,
                      [&](const std::string& server) { return !is_open(request, server, target, observed); });
    }
    drop_empty(open);
    return open;
}

}  // namespace left4me
