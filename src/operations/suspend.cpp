#include "operations/suspend.hpp"

#include <algorithm>
#include <filesystem>

#include "adapters/store/suspensions.hpp"
#include "adapters/trigger/client.hpp"
#include "operations/events.hpp"
#include "operations/lock.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

namespace {

TimePoint now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

/// The chosen servers; none for everything. A typo must not leave the intended server unprotected, so all
/// must be known: in the manifests, or left over on the host.
Result<std::vector<std::string>> meant_servers(Context& context, const Selection& selection) {
    if (selection.all) return std::vector<std::string>();
    const bool all_rendered =
        !selection.names.empty() &&
        std::all_of(selection.names.begin(), selection.names.end(), [&](const auto& name) {
            return std::filesystem::exists(context.paths.instances() / name);
        });
    if (all_rendered) return selection.names;
    const auto in_force = read_source(context);
    if (!in_force) return std::unexpected(in_force.error());
    return select_servers(selection, in_force->set);
}

std::vector<std::string> subjects_of(const std::vector<std::string>& servers) {
    if (servers.empty()) return {"left4me"};
    return server_subjects(servers);
}

Result<void> save(const Context& context, const Suspensions& suspensions) {
    if (auto saved = save_suspensions(context.paths, suspensions); !saved)
        return fail(ErrorKind::StateFailed, saved.error());
    (void)trigger(context.paths);  // while the lock is held, so that a daemon knows before it acts again
    return {};
}

}  // namespace

Result<Suspended> suspend(Context& context, const Selection& selection, const std::string& reason,
                          std::optional<std::chrono::milliseconds> duration) {
    std::optional<TimePoint> until;
    if (duration) until = now() + *duration;
    auto servers = meant_servers(context, selection);
    if (!servers) return std::unexpected(servers.error());
    // Under the lock: when this returns, nothing more is begun for the servers. A unit that is on its way
    // goes on.
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    auto suspensions = load_suspensions(context.paths);
    if (!suspensions) return fail(ErrorKind::StateFailed, suspensions.error());
    const Suspension suspension{reason, actor_of(context.caller), now(), until};
    if (selection.all) suspensions->all = suspension;
    for (const std::string& server : *servers) suspensions->servers.insert_or_assign(server, suspension);
    if (auto saved = save(context, *suspensions); !saved) return std::unexpected(saved.error());
    record_event(context, subjects_of(*servers), "Suspended", suspension_text(suspension));
    return Suspended{std::move(*servers), suspension};
}

Result<Resumed> resume(Context& context, const Selection& selection) {
    const auto lock = lock_host(context);
    if (!lock) return std::unexpected(lock.error());
    std::vector<std::string> servers = selection.names;
    if (!selection.selector.empty()) {
        auto meant = meant_servers(context, selection);
        if (!meant) return std::unexpected(meant.error());
        servers = std::move(*meant);
    }
    auto suspensions = load_suspensions(context.paths);
    // Resuming everything needs no knowledge of what was suspended.
    if (!suspensions && !selection.all) return fail(ErrorKind::StateFailed, suspensions.error());
    Resumed resumed;
    if (selection.all) {
        if (suspensions && *suspensions == Suspensions{}) return resumed;
        suspensions = Suspensions{};
    }
    for (const std::string& server : servers) {
        const bool was = suspensions->servers.erase(server) != 0;
        (was ? resumed.servers : resumed.not_suspended).push_back(server);
    }
    resumed.all_suspended = suspensions->all.has_value();
    if (!selection.all && resumed.servers.empty()) return resumed;
    if (auto saved = save(context, *suspensions); !saved) return std::unexpected(saved.error());
    record_event(context, subjects_of(resumed.servers), "Resumed", "left4me follows the manifests again");
    resumed.anything = true;
    return resumed;
}

}  // namespace left4me::operations
