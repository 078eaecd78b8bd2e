#include <fmt/format.h>

#include <algorithm>

#include "adapters/poke/poke.hpp"
#include "adapters/store/suspensions.hpp"
#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/caller.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/server_view.hpp"
#include "l4d2ctl/verbs.hpp"
#include "specs/words.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    Selection selection;
    std::string reason;
    std::string duration;
};

TimePoint now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

/// The servers that are meant; none for --all. A slip of the pen must not leave the one that was meant
/// unprotected, so all must be known: to the manifests, or as left over on the host.
Result<std::vector<std::string>> meant_servers(Session& session, const Selection& selection) {
    if (selection.all) return std::vector<std::string>();
    const bool all_rendered =
        !selection.names.empty() &&
        std::all_of(selection.names.begin(), selection.names.end(), [&](const auto& name) {
            return std::filesystem::exists(session.paths.instances() / name);
        });
    if (all_rendered) return selection.names;
    const auto in_force = read_source(session);
    if (!in_force) return std::unexpected(in_force.error());
    return select_servers(selection, in_force->set);
}

std::vector<std::string> subjects_of(const std::vector<std::string>& servers) {
    if (servers.empty()) return {"left4me"};
    std::vector<std::string> subjects;
    for (const std::string& server : servers) subjects.push_back("server/" + server);
    return subjects;
}

Result<Exit> suspend(Session& session, Options& options) {
    if (auto settled = settle(options.selection); !settled) return std::unexpected(settled.error());
    std::optional<TimePoint> until;
    if (!options.duration.empty()) {
        const auto parsed = parse_patience(options.duration);
        if (!parsed) return std::unexpected(parsed.error());
        until = now() + *parsed;
    }
    if (auto entered = enter(session, Access::Act); !entered) return std::unexpected(entered.error());
    const auto servers = meant_servers(session, options.selection);
    if (!servers) return std::unexpected(servers.error());
    // Under the lock: when this returns, nothing is being done to the server any more.
    const auto lock = lock_host(session);
    if (!lock) return std::unexpected(lock.error());
    auto suspensions = load_suspensions(session.paths);
    if (!suspensions) return fail(Exit::Refused, suspensions.error());
    const Suspension suspension{options.reason, actor_of(session.caller), now(), until};
    if (options.selection.all) suspensions->all = suspension;
    for (const std::string& server : *servers) suspensions->servers.insert_or_assign(server, suspension);
    if (auto saved = save_suspensions(session.paths, *suspensions); !saved)
        return fail(Exit::Refused, saved.error());
    (void)poke(session.paths);  // while the lock is held, so that a daemon knows before it acts again
    const auto subjects = subjects_of(*servers);
    tell_event(session, subjects, "Suspended", suspension_text(suspension));
    for (const std::string& subject : subjects) {
        print(fmt::format("{} {}\n", options.selection.all ? "everything" : subject,
                          printable(suspension_text(suspension))));
    }
    return Exit::Done;
}

Result<Exit> resume(Session& session, Options& options) {
    if (auto settled = settle(options.selection); !settled) return std::unexpected(settled.error());
    const bool all = options.selection.all;
    if (auto entered = enter(session, Access::Act); !entered) return std::unexpected(entered.error());
    // A name need not be known: the server may have been deleted while it was suspended.
    std::vector<std::string> servers = options.selection.names;
    if (!options.selection.selector.empty()) {
        auto meant = meant_servers(session, options.selection);
        if (!meant) return std::unexpected(meant.error());
        servers = std::move(*meant);
    }
    const auto lock = lock_host(session);
    if (!lock) return std::unexpected(lock.error());
    auto suspensions = load_suspensions(session.paths);
    // Whoever resumes everything needs to know nothing of what was suspended.
    if (!suspensions && !all) return fail(Exit::Refused, suspensions.error());
    std::vector<std::string> resumed;
    for (const std::string& server : servers) {
        if (suspensions->servers.erase(server) != 0) {
            resumed.push_back(server);
            continue;
        }
        print(fmt::format("server/{} is not suspended{}\n", server,
                          suspensions->all ? " by itself, but everything is; l4d2ctl resume --all" : ""));
    }
    if (all && suspensions && *suspensions == Suspensions{}) {
        print("nothing is suspended\n");
        return Exit::Done;
    }
    if (!all && resumed.empty()) return Exit::Done;
    if (all) suspensions = Suspensions{};
    if (auto saved = save_suspensions(session.paths, *suspensions); !saved)
        return fail(Exit::Refused, saved.error());
    (void)poke(session.paths);  // while the lock is held, so that a daemon knows before it acts again
    const auto subjects = subjects_of(resumed);
    tell_event(session, subjects, "Resumed", "left4me follows the manifests again");
    for (const std::string& subject : subjects)
        print(fmt::format("{} resumed\n", all ? "everything" : subject));
    return reconcile(session, std::nullopt);
}

}  // namespace

void add_suspend(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "suspend",
                            "Keeps left4me's hands off a server, or off everything, until it is resumed",
                            "  sudo l4d2ctl suspend comp1 --reason 'trying a map' --for 2h\n"
                            "  sudo l4d2ctl suspend --all --reason 'moving house'",
                            [&session, options] { return suspend(session, *options); });
    add_selection(verb, options->selection, MayBeAll::No);
    verb.flag("--all", options->selection.all, "Everything: nothing on this host is changed any more");
    verb.required_option("--reason", options->reason, "Why; everybody who looks is told");
    verb.option("--for", options->duration, "It ends by itself after this long: 90s, 30m, 12h, 2d");
}

void add_resume(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "resume", "Ends a suspension, and makes the host follow the source",
                            "  sudo l4d2ctl resume comp1\n  sudo l4d2ctl resume --all",
                            [&session, options] { return resume(session, *options); });
    add_selection(verb, options->selection, MayBeAll::No);
    verb.flag("--all", options->selection.all, "Everything, and every single server too");
}

}  // namespace left4me::ctl
