#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

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
    std::string pattern;
    unsigned lines = 0;  ///< 0: not given
    bool follow = false;
};

constexpr unsigned usual_lines = 200;

std::filesystem::path place_of(const Paths& paths, const Subject& subject) {
    return (has_artifacts(subject.kind) ? paths.overlays() : paths.instances()) / subject.name;
}

bool names_it(const ManifestSet& set, const Subject& subject) {
    return has_artifacts(subject.kind) ? set.overlays.contains(subject.name)
                                       : set.servers.contains(subject.name);
}

/// `overlay/NAME`, `installation/NAME`, `server/NAME`, or NAME of a server.
Result<Subject> parse_subject(const std::string& word) {
    const std::size_t slash = word.find('/');
    const auto kind = slash == std::string::npos ? std::nullopt : parse_kind(word.substr(0, slash));
    if (kind && has_artifacts(*kind)) {
        Subject subject{*kind, word.substr(slash + 1)};
        if (auto checked = check_name(subject.name); !checked) return std::unexpected(checked.error());
        return subject;
    }
    auto name = parse_server_name(word);
    if (!name) return std::unexpected(name.error());
    return Subject{Kind::Server, std::move(*name)};
}

/// Whether the manifests name it. Asked in a child process, which gives up root before it parses
/// anything; when the manifests cannot be read, the name is given the benefit of the doubt.
bool is_in_manifests(Session& session, const Subject& subject) {
    const pid_t child = ::fork();
    if (child < 0) return true;
    if (child == 0) {
        if (!drop_privileges_and_configure(session, Access::Read)) ::_exit(0);
        const auto in_force = operations::read_source(session);
        ::_exit(!in_force || names_it(in_force->set, subject) ? 0 : 1);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return !WIFEXITED(status) || WEXITSTATUS(status) == 0;
}

/// Left over on the host, named by the manifests, or deleted while its journal is still there.
bool is_known(Session& session, const Subject& subject) {
    std::error_code denied;
    if (std::filesystem::exists(place_of(session.paths, subject), denied)) return true;
    return is_in_manifests(session, subject) ||
           !operations::JournalTail(operations::log_units(subject), 1).text().empty();
}

/// journalctl takes `-2h` for the last two hours, and points in time unchanged.
std::string since_option(const std::string& since) {
    return "--since=" + (parse_duration(since) ? "-" + since : since);
}

/// Becomes journalctl. Only a name is parsed here, so root stays root: only root may be allowed to read the
/// journal.
Result<Exit> logs(Session& session, const Options& options) {
    const auto subject = parse_subject(options.name);
    if (!subject) return std::unexpected(subject.error());
    if (!is_known(session, *subject)) {
        return fail(Exit::NotFound, fmt::format("{} is not there; l4d2ctl get {} lists them",
                                                to_string(*subject), entry_of(subject->kind).plural));
    }
    std::vector<std::string> words{"journalctl", "--no-pager", "--no-hostname"};
    for (const std::string& unit : operations::log_units(*subject)) words.push_back("--unit=" + unit);
    if (!options.since.empty()) words.push_back(since_option(options.since));
    if (options.lines > 0 || options.since.empty())
        words.push_back("--lines=" + std::to_string(options.lines > 0 ? options.lines : usual_lines));
    if (!options.pattern.empty()) words.push_back("--grep=" + options.pattern);
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
    Command verb = add_verb(
        app, session, "logs", "Shows what a server or the build of an overlay said, from the journal",
        "  l4d2ctl logs comp1 --since 2h --grep disconnected\n  l4d2ctl logs comp1 --follow\n"
        "  l4d2ctl logs overlay/maps",
        [&session, options] { return logs(session, *options); });
    verb.argument("NAME", options->name, "A server, overlay/NAME or installation/NAME",
                  Words::ServersOrArtifacts);
    verb.option("-n,--lines", options->lines, "At most the last N lines (default 200; with --since: all)");
    verb.option("--since", options->since,
                "Only newer lines: a duration as in 30m, 2h, 3d, or a time in journalctl's format");
    verb.option("-g,--grep", options->pattern,
                "Only lines that match this regular expression (PCRE2; all lower case: any case)");
    verb.flag("-f,--follow,!--no-follow", options->follow, "Keep showing new lines (off by default)");
}

}  // namespace left4me::ctl
