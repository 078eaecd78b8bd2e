#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/journal_tail.hpp"
#include "specs/grammars/duration.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string name;
    std::string since;
    unsigned lines = 0;  ///< 0: not given
    bool follow = false;
};

constexpr unsigned usual_lines = 200;

/// Whether the manifests name the server. Asked in a child process, which gives up root before it parses
/// anything; when the manifests cannot be read, the name is given the benefit of the doubt.
bool is_in_manifests(Session& session, const std::string& name) {
    const pid_t child = ::fork();
    if (child < 0) return true;
    if (child == 0) {
        if (!enter(session, Access::Read)) ::_exit(0);
        const auto in_force = operations::read_source(session);
        ::_exit(!in_force || in_force->set.servers.contains(name) ? 0 : 1);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return !WIFEXITED(status) || WEXITSTATUS(status) == 0;
}

/// Left over on the host, named by the manifests, or a deleted server whose journal is still there.
bool is_known(Session& session, const std::string& name) {
    std::error_code denied;
    if (std::filesystem::exists(session.paths.instances() / name, denied)) return true;
    return is_in_manifests(session, name) || !operations::JournalTail(name, 1).text().empty();
}

/// journalctl takes `-2h` for what happened in the last two hours, and points of time as they are.
std::string since_option(const std::string& since) {
    return "--since=" + (parse_duration(since) ? "-" + since : since);
}

/// Becomes journalctl. Nothing is parsed here but a name, so root stays root: the journal may be root's alone
/// to read.
Result<Exit> logs(Session& session, const Options& options) {
    const auto name = parse_server_name(options.name);
    if (!name) return std::unexpected(name.error());
    if (!is_known(session, *name))
        return fail(Exit::NotFound, "server/" + *name + " is not there; l4d2ctl get servers lists them");
    std::vector<std::string> words{"journalctl", "--unit=" + operations::log_unit(*name), "--no-pager",
                                   "--no-hostname"};
    if (!options.since.empty()) words.push_back(since_option(options.since));
    if (options.lines > 0 || options.since.empty())
        words.push_back("--lines=" + std::to_string(options.lines > 0 ? options.lines : usual_lines));
    if (options.follow) words.emplace_back("--follow");
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    (void)std::fflush(nullptr);
    ::execv("/usr/bin/journalctl", arguments.data());
    return fail(Exit::Refused, "journalctl: " + std::generic_category().message(errno));
}

}  // namespace

void add_logs(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "logs", "Shows what a server said, from the journal",
                            "  l4d2ctl logs comp1 --since 2h\n  l4d2ctl logs comp1 --follow",
                            [&session, options] { return logs(session, *options); });
    verb.argument("NAME", options->name, "The server", Words::Servers);
    verb.option("-n,--lines", options->lines, "At most the last N lines (default 200; with --since: all)");
    verb.option("--since", options->since,
                "Only what is newer: a duration as in 30m, 2h, 3d, or a time as journalctl takes it");
    verb.flag("-f,--follow,!--no-follow", options->follow, "Go on showing new lines; by default it does not");
}

}  // namespace left4me::ctl
