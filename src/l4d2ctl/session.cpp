#include "l4d2ctl/session.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <optional>

#include "adapters/config/file.hpp"
#include "adapters/sources/open.hpp"
#include "adapters/store/status_file.hpp"
#include "l4d2ctl/caller.hpp"

namespace left4me::ctl {

namespace {

Result<void> configure(Session& session, const std::optional<std::string>& text) {
    auto config = parse_config_text(session.config_path, text);
    if (!config) return fail(Exit::Invalid, config.error());
    session.config = std::move(*config);
    session.source = open_source(session.paths, session.config);
    return {};
}

/// Who cannot see the renderings would be told that there are none: better nothing than something wrong.
Result<void> check_sight(const Session& session) {
    const std::filesystem::path instances = session.paths.instances();
    if (::access(instances.c_str(), R_OK | X_OK) == 0 || errno != EACCES) return {};
    return fail(Exit::Refused,
                fmt::format("{}: only root and user {} may look in here, for the secrets in it\n"
                            "  sudo l4d2ctl {} …",
                            instances.string(), service_user, session.verb));
}

}  // namespace

Command add_verb(CLI::App& app, Session& session, const std::string& name, const std::string& description,
                 const std::string& example, std::function<Result<Exit>()> run) {
    session.verbs.push_back({.name = name, .description = description});
    return {app, session.verb, session.run, session.verbs.back(), example, std::move(run)};
}

Result<void> enter(Session& session, Access access) {
    session.caller = calling_person();
    ConfigText text;
    // A path that a person gave is opened as that person, the host's own configuration as user left4me, which
    // the daemon is, too: root opens nothing, so no message can quote what only root may read.
    if (session.config_path != config_file) {
        const auto read = with_rights_of_caller([&] { text = read_config_text(session.config_path); });
        if (!read) return read;
    }
    if (auto dropped = give_up_privileges(access, session.verb); !dropped) return dropped;
    if (session.config_path == config_file) text = read_config_text(session.config_path);
    if (!text) return fail(Exit::Invalid, text.error());
    return configure(session, *text);
}

Result<void> enter_as_root(Session& session) {
    if (::geteuid() != 0) {
        return fail(Exit::Refused, fmt::format("only root can do that\n  sudo l4d2ctl {} …", session.verb));
    }
    ConfigText text;
    const auto read = [&] { text = read_config_text(session.config_path, ConfigOwner::Root); };
    if (session.config_path == config_file)
        read();
    else if (auto allowed = with_rights_of_caller(read); !allowed)
        return allowed;
    if (!text) return fail(Exit::Invalid, text.error());
    return configure(session, *text);
}

Exit exit_for(Trouble trouble) {
    switch (trouble) {
        case Trouble::None:
            return Exit::Done;
        case Trouble::Invalid:
            return Exit::Invalid;
        case Trouble::Vanished:
        case Trouble::Held:
            return Exit::Refused;
    }
    return Exit::Refused;
}

Result<InForce> read_source(Session& session) {
    auto in_force = revision_in_force(session.paths, *session.source, session.config.limits);
    if (!in_force) {
        std::string message = in_force.error().message;
        // A repository's own message says what to do about it.
        if (in_force.error().trouble == Trouble::Vanished && !session.config.git) {
            message += "  sudo l4d2ctl apply -f FILE puts a manifest there; source.directory in " +
                       session.config_path + " says where\n";
        }
        return fail(exit_for(in_force.error().trouble), std::move(message));
    }
    return std::move(*in_force);
}

Result<std::unique_ptr<Machine>> connect(const Session& session) {
    auto units = Units::connect(session.paths);
    if (!units) return fail(Exit::Refused, "cannot ask systemd: " + units.error());
    return std::make_unique<Machine>(session.paths, std::move(*units));
}

Result<Seen> look_at(const Session& session, Desired desired) {
    if (auto allowed = check_sight(session); !allowed) return std::unexpected(allowed.error());
    auto machine = connect(session);
    if (!machine) return std::unexpected(machine.error());
    Seen seen;
    seen.intent = load_intent(session.paths);
    Engine engine(**machine, load_status(session.paths));
    auto looked = engine.look(
        {std::make_shared<const Desired>(std::move(desired)), seen.intent, engine.status().source_error});
    if (!looked) return fail(Exit::Refused, looked.error());
    seen.machine = std::move(*machine);
    seen.target = std::move(looked->target);
    seen.observed = std::move(looked->observed);
    seen.plan = std::move(looked->difference);
    seen.status = engine.status();
    return seen;
}

Result<View> look(Session& session) {
    auto in_force = read_source(session);
    if (!in_force) return std::unexpected(in_force.error());
    auto seen = look_at(session, in_force->desired());
    if (!seen) return std::unexpected(seen.error());
    return View{std::move(*seen), std::move(*in_force)};
}

void tell_trouble(const InForce& in_force) {
    if (in_force.trouble == Trouble::None) return;
    print_error(fmt::format("{}the last good revision {} stays in force\n", in_force.error,
                            in_force.snapshot.revision));
}

void print(const std::string& text) {
    // A program that reads our output gets every byte.
    static const bool terminal = ::isatty(STDOUT_FILENO) == 1;
    const std::string shown = terminal ? for_locale(fit_for_terminal(text), STDOUT_FILENO) : text;
    (void)std::fwrite(shown.data(), 1, shown.size(), stdout);
}

void print_error(const std::string& message) {
    const std::string text = fit_for_terminal(message);
    (void)std::fflush(stdout);  // what was said before stays before
    const std::string shown = for_locale(text, STDERR_FILENO);
    (void)std::fwrite(shown.data(), 1, shown.size(), stderr);
    if (!text.ends_with('\n')) (void)std::fputc('\n', stderr);
}

}  // namespace left4me::ctl
