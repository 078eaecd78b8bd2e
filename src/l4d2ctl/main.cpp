#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include <algorithm>
#include <csignal>
#include <exception>
#include <optional>
#include <string_view>

#include "adapters/no_tracing.hpp"
#include "l4d2ctl/complete.hpp"
#include "l4d2ctl/read_service.hpp"
#include "l4d2ctl/verbs.hpp"
#include "specs/text.hpp"

namespace {

using namespace left4me::ctl;

constexpr const char* exit_codes =
    "Exit codes:\n"
    "  0 done   1 differences (diff, lock --check, host check)   2 usage   3 invalid manifest or "
    "configuration\n"
    "  4 not found   5 the host refused, or a step failed   6 timed out   130 interrupted\n"
    "\n"
    "l4d2ctl VERB --help shows a verb's options and an example; see man l4d2ctl for more.";

void add_verbs(CLI::App& app, Session& session) {
    add_apply(app, session);
    add_diff(app, session);
    add_initialize(app, session);
    add_import(app, session);
    add_validate(app, session);
    add_get(app, session);
    add_describe(app, session);
    add_status(app, session);
    add_players(app, session);
    add_top(app, session);
    add_console(app, session);
    add_start(app, session);
    add_stop(app, session);
    add_drain(app, session);
    add_restart(app, session);
    add_delete(app, session);
    add_reset(app, session);
    add_reconcile(app, session);
    add_approve(app, session);
    add_lock(app, session);
    add_install(app, session);
    add_cancel(app, session);
    add_rollback(app, session);
    add_gc(app, session);
    add_host(app, session);
    add_secrets(app, session);
    add_backup(app, session);
    add_restore(app, session);
    add_init_repo(app, session);
    add_hook(app, session);
    add_suspend(app, session);
    add_resume(app, session);
    add_wait(app, session);
    add_events(app, session);
    add_history(app, session);
    add_logs(app, session);
    add_explain(app, session);
    add_explain_path(app, session);
    add_tree(app, session);
    add_schema(app, session);
    add_version(app, session);
}

/// The message for a first word that is not a verb; CLI11 would only say that it did not expect it.
std::string unknown_verb(const CLI::App& app, int argc, char** argv) {
    if (argc < 2 || *argv[1] == '-') return {};
    const std::string_view word = argv[1];
    std::vector<std::string> names;
    for (const CLI::App* const verb : app.get_subcommands(nullptr)) names.push_back(verb->get_name());
    if (std::find(names.begin(), names.end(), word) != names.end()) return {};
    const std::vector<std::string_view> candidates(names.begin(), names.end());
    return fmt::format("no verb {}{}\nl4d2ctl --help lists them\n", left4me::in_quotes(word),
                       left4me::did_you_mean(word, candidates));
}

int finish(const Result<Exit>& result) {
    if (!result) {
        print_error(result.error().message);
        return static_cast<int>(result.error().code);
    }
    // Readers of our output rely on it: a full disk must not look like success.
    if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return static_cast<int>(Exit::Refused);
    return static_cast<int>(*result);
}

int run(int argc, char** argv, bool served) {
    (void)std::signal(SIGPIPE, SIG_DFL);
    Session session;
    session.served = served;
    CLI::App app("left4me: Left 4 Dead 2 servers, as the manifests say", "l4d2ctl");
    app.require_subcommand(1);
    app.option_defaults()->group("Options");
    app.add_option("--config", session.config_path, "The configuration (default /etc/left4me/config.yaml)");
    app.set_version_flag("--version", "l4d2ctl " LEFT4ME_VERSION, "Shows the version");
    app.fallthrough();
    app.footer(exit_codes);
    add_verbs(app, session);
    if (!served && argc >= 2 && std::string_view(argv[1]) == "__complete") {
        complete(session, {argv + 2, argv + argc});
        return static_cast<int>(Exit::Done);
    }
    if (const std::string message = unknown_verb(app, argc, argv); !message.empty()) {
        print_error(message);
        return static_cast<int>(Exit::Usage);
    }
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : static_cast<int>(Exit::Usage);
    }
    if (served && !is_served(session.verb)) {
        print_error(session.verb + " is not done for others\n");
        return static_cast<int>(Exit::Refused);
    }
    if (const auto code = served ? std::nullopt : ask_read_service(session, argc, argv)) return *code;
    return finish(session.run());
}

/// What left4me-read@.service runs.
int serve(char* program) {
    auto request = accept_read_request();
    if (!request) return finish(std::unexpected(request.error()));
    std::vector<char*> arguments{program};
    for (std::string& argument : request->arguments) arguments.push_back(argument.data());
    arguments.push_back(nullptr);
    answer_read_request(run(static_cast<int>(arguments.size()) - 1, arguments.data(), true));
    return 0;
}

}  // namespace

int main(int argc, char** argv) {
    left4me::deny_tracing();
    try {
        if (argc == 2 && std::string_view(argv[1]) == "__read") return serve(argv[0]);
        return run(argc, argv, false);
    } catch (const std::exception& exception) {
        print_error(fmt::format("l4d2ctl: {}", exception.what()));
        return static_cast<int>(Exit::Refused);
    }
}
