#include <fmt/format.h>

#include "adapters/events/record.hpp"
#include "adapters/poke/poke.hpp"
#include "adapters/store/status_file.hpp"
#include "adapters/store/suspensions.hpp"
#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/caller.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/server_view.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string server;
    bool all = false;
    std::string reason;
    std::string duration;
};

TimePoint now() { return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()); }

Result<void> check_target(const Options& options) {
    if (options.all == options.server.empty())
        return options.all ? Result<void>() : check_name(options.server);
    return fail(Exit::Usage, "name one server, or say --all");
}

std::string subject_of(const Options& options) {
    return options.all ? "left4me" : "server/" + options.server;
}

/// A slip of the pen must not leave the server that was meant unprotected.
Result<void> check_known(Session& session, const std::string& server) {
    if (server.empty() || std::filesystem::exists(session.paths.instances() / server)) return {};
    const auto in_force = read_source(session);
    if (!in_force) return std::unexpected(in_force.error());
    if (in_force->set.servers.contains(server)) return {};
    return fail(Exit::NotFound,
                fmt::format("server/{} is not there; l4d2ctl get servers lists them", server));
}

void tell(const Session& session, const Options& options, const char* reason, const std::string& message) {
    const std::string actor = actor_of(session.caller);
    Event event;
    event.at = now();
    event.subject = subject_of(options);
    event.reason = reason;
    event.message = message;
    event.revision = load_status(session.paths).last_attempted_revision;
    if (auto recorded = record(session.paths, {event}, actor); !recorded)
        print_error("the event could not be kept: " + recorded.error());
}

Result<Exit> suspend(Session& session, const Options& options) {
    if (auto checked = check_target(options); !checked) return std::unexpected(checked.error());
    std::optional<TimePoint> until;
    if (!options.duration.empty()) {
        const auto parsed = parse_patience(options.duration);
        if (!parsed) return std::unexpected(parsed.error());
        until = now() + *parsed;
    }
    if (auto entered = enter(session, Access::Act); !entered) return std::unexpected(entered.error());
    if (auto known = check_known(session, options.server); !known) return std::unexpected(known.error());
    // Under the lock: when this returns, nothing is being done to the server any more.
    const auto lock = lock_host(session);
    if (!lock) return std::unexpected(lock.error());
    auto suspensions = load_suspensions(session.paths);
    if (!suspensions) return fail(Exit::Refused, suspensions.error());
    const Suspension suspension{options.reason, actor_of(session.caller), now(), until};
    if (options.all) {
        suspensions->all = suspension;
    } else {
        suspensions->servers.insert_or_assign(options.server, suspension);
    }
    if (auto saved = save_suspensions(session.paths, *suspensions); !saved)
        return fail(Exit::Refused, saved.error());
    (void)poke(session.paths);  // while the lock is held, so that a daemon knows before it acts again
    tell(session, options, "Suspended", suspension_text(suspension));
    print(fmt::format("{} {}\n", options.all ? "everything" : subject_of(options),
                      printable(suspension_text(suspension))));
    return Exit::Done;
}

Result<Exit> resume(Session& session, const Options& options) {
    if (auto checked = check_target(options); !checked) return std::unexpected(checked.error());
    if (auto entered = enter(session, Access::Act); !entered) return std::unexpected(entered.error());
    const auto lock = lock_host(session);
    if (!lock) return std::unexpected(lock.error());
    auto suspensions = load_suspensions(session.paths);
    // Whoever resumes everything needs to know nothing of what was suspended.
    if (!suspensions && !options.all) return fail(Exit::Refused, suspensions.error());
    const bool any = !suspensions || (options.all ? *suspensions != Suspensions{}
                                                  : suspensions->servers.contains(options.server));
    if (!any) {
        const bool by_all = !options.all && suspensions->all.has_value();
        print(fmt::format("{} is not suspended{}\n", options.all ? "nothing" : subject_of(options),
                          by_all ? " by itself, but everything is; l4d2ctl resume --all" : ""));
        return Exit::Done;
    }
    if (options.all) {
        suspensions = Suspensions{};
    } else {
        suspensions->servers.erase(options.server);
    }
    if (auto saved = save_suspensions(session.paths, *suspensions); !saved)
        return fail(Exit::Refused, saved.error());
    (void)poke(session.paths);  // while the lock is held, so that a daemon knows before it acts again
    tell(session, options, "Resumed", "left4me follows the manifests again");
    print(fmt::format("{} resumed\n", options.all ? "everything" : subject_of(options)));
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
    verb.optional_argument("SERVER", options->server, "The server");
    verb.flag("--all", options->all, "Everything: nothing on this host is changed any more");
    verb.required_option("--reason", options->reason, "Why; everybody who looks is told");
    verb.option("--for", options->duration, "It ends by itself after this long: 90s, 5m, 12h");
}

void add_resume(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "resume", "Ends a suspension, and makes the host follow the source",
                            "  sudo l4d2ctl resume comp1\n  sudo l4d2ctl resume --all",
                            [&session, options] { return resume(session, *options); });
    verb.optional_argument("SERVER", options->server, "The server");
    verb.flag("--all", options->all, "Everything, and every single server too");
}

}  // namespace left4me::ctl
