#include "operations/restart.hpp"

#include <fmt/format.h>

#include <chrono>

#include "adapters/store/requests.hpp"
#include "adapters/trigger/client.hpp"
#include "operations/events.hpp"
#include "operations/lock.hpp"
#include "operations/server_view.hpp"

namespace left4me::operations {

namespace {

Result<RestartRequests> load(const Context& context) {
    auto requests = load_restart_requests(context.paths);
    if (!requests) return fail(ErrorKind::StateFailed, requests.error());
    return std::move(*requests);
}

Result<void> save(const Context& context, const RestartRequests& requests) {
    if (auto saved = save_restart_requests(context.paths, requests); !saved)
        return fail(ErrorKind::StateFailed, saved.error());
    (void)left4me::trigger(context.paths);
    return {};
}

/// Why there is nothing to restart; empty: there is.
std::string why_not_running(const Desired& desired, const std::string& server, const UnitDetails& details) {
    if (desired.servers.at(server).state == RunState::Stopped) return "its manifest says Stopped";
    const ActiveState active = details.unit.active;
    const bool runs = active == ActiveState::Active || active == ActiveState::Activating;
    return runs ? "" : "the unit is " + activity_text(details.unit);
}

RestartRequest make_request(const Context& context, const RestartOptions& options) {
    RestartRequest request;
    request.by = requester_of(context);
    request.at = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    request.when_empty = options.when_empty;
    request.staggered = options.staggered;
    return request;
}

}  // namespace

Result<RestartsRequested> request_restart(Context& context, const Selection& selection,
                                          const RestartOptions& options) {
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    const auto in_force = read_source(context);
    if (!in_force) return std::unexpected(in_force.error());
    const auto selected = select_servers(selection, in_force->set);
    if (!selected) return std::unexpected(selected.error());
    const auto machine = connect(context);
    if (!machine) return std::unexpected(machine.error());
    const auto details = (*machine)->units().details(*selected);
    if (!details) return fail(ErrorKind::HostUnavailable, details.error());

    RestartsRequested requested;
    RestartRequest request = make_request(context, options);
    const Desired desired = in_force->desired();
    for (const std::string& server : *selected) {
        const UnitDetails& unit = details->at(server);
        if (std::string why = why_not_running(desired, server, unit); !why.empty()) {
            requested.not_running.emplace(server, std::move(why));
            continue;
        }
        request.invocations.emplace(server, unit.invocation);
        requested.servers.push_back(server);
    }
    if (requested.servers.empty()) return requested;

    auto requests = load(context);
    if (!requests) return std::unexpected(requests.error());
    withdraw(*requests, {requested.servers.begin(), requested.servers.end()});
    requests->push_back(request);
    if (auto saved = save(context, *requests); !saved) return std::unexpected(saved.error());
    record_event(context, server_subjects(requested.servers), "RestartRequested",
                 fmt::format("a restart was asked for{}{}", options.when_empty ? ", when nobody plays" : "",
                             options.staggered ? ", one part of the servers after the other" : ""));
    return requested;
}

Result<std::vector<std::string>> cancel_restart(Context& context, const Selection& selection) {
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    auto requests = load(context);
    if (!requests) return std::unexpected(requests.error());
    const auto servers = select_requested(context, selection, servers_of(*requests));
    if (!servers) return std::unexpected(servers.error());
    const std::set<std::string> withdrawn = withdraw(*requests, *servers);
    std::vector<std::string> names(withdrawn.begin(), withdrawn.end());
    if (names.empty()) return names;
    if (auto saved = save(context, *requests); !saved) return std::unexpected(saved.error());
    record_event(context, server_subjects(names), "RestartCanceled",
                 "the request for a restart was withdrawn");
    return names;
}

}  // namespace left4me::operations
