#include "operations/reset.hpp"

#include <fmt/format.h>

#include "adapters/store/requests.hpp"
#include "adapters/store/suspensions.hpp"
#include "adapters/trigger/client.hpp"
#include "operations/events.hpp"
#include "operations/lock.hpp"
#include "operations/view.hpp"
#include "specs/text.hpp"

namespace left4me::operations {

namespace {

Result<void> refuse_suspended(const Context& context, const std::vector<std::string>& servers,
                              TimePoint now) {
    const auto suspensions = load_suspensions(context.paths);
    if (!suspensions) return fail(ErrorKind::StateFailed, suspensions.error());
    for (const std::string& server : servers) {
        const Suspension* suspension = suspension_of(*suspensions, server, now);
        if (suspension != nullptr)
            return fail(ErrorKind::Suspended, fmt::format("server/{} was not reset: {}", server,
                                                          printable(suspension_text(*suspension))));
    }
    return {};
}

Result<ResetRequests> load(const Context& context) {
    auto requests = load_reset_requests(context.paths);
    if (!requests) return fail(ErrorKind::StateFailed, requests.error());
    return std::move(*requests);
}

Result<void> save(const Context& context, const ResetRequests& requests) {
    if (auto saved = save_reset_requests(context.paths, requests); !saved)
        return fail(ErrorKind::StateFailed, saved.error());
    (void)left4me::trigger(context.paths);
    return {};
}

}  // namespace

Result<ResetsRequested> request_reset(Context& context, Desired desired,
                                      const std::vector<std::string>& servers, const std::string& reason) {
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    const auto seen = look_at(context, std::move(desired));
    if (!seen) return std::unexpected(seen.error());
    if (auto free = refuse_suspended(context, servers, seen->observed.now); !free)
        return std::unexpected(free.error());

    auto requests = load(context);
    if (!requests) return std::unexpected(requests.error());
    ResetsRequested requested;
    for (const std::string& server : servers) {
        const auto observed = seen->observed.servers.find(server);
        if (observed == seen->observed.servers.end() || observed->second.runtime.empty()) {
            requested.empty.push_back(server);
            continue;
        }
        (*requests)[server] = {.by = requester_of(context),
                               .at = seen->observed.now,
                               .reason = reason,
                               .directory = observed->second.runtime};
        requested.servers.push_back(server);
    }
    if (requested.servers.empty()) return requested;
    if (auto saved = save(context, *requests); !saved) return std::unexpected(saved.error());
    record_event(context, server_subjects(requested.servers), "ResetRequested",
                 reason.empty() ? "a reset was asked for" : "a reset was asked for: " + reason);
    return requested;
}

Result<std::vector<std::string>> cancel_reset(Context& context, const Selection& selection) {
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    auto requests = load(context);
    if (!requests) return std::unexpected(requests.error());
    std::set<std::string> requested;
    for (const auto& [server, request] : *requests) requested.insert(server);
    const auto servers = select_requested(context, selection, std::move(requested));
    if (!servers) return std::unexpected(servers.error());
    std::vector<std::string> names(servers->begin(), servers->end());
    if (names.empty()) return names;
    for (const std::string& name : names) requests->erase(name);
    if (auto saved = save(context, *requests); !saved) return std::unexpected(saved.error());
    record_event(context, server_subjects(names), "ResetCanceled", "the request for a reset was withdrawn");
    return names;
}

}  // namespace left4me::operations
