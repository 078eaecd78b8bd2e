#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <set>
#include <utility>

#include "l4d2ctl/question.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/host_check.hpp"

namespace left4me::ctl {

namespace {

using operations::Finding;

struct Options {
    std::string what;
    std::string output = "table";
    bool yes = false;
};

std::string findings_text(const std::vector<Finding>& findings, const Terminal& terminal) {
    std::string text;
    std::string notes;
    for (const Finding& finding : findings)
        (finding.is_note ? notes : text) += fmt::format("{}{}: {}\n  {}\n", finding.is_note ? "note: " : "",
                                                        terminal.paint(Paint::Bold, to_string(finding.check)),
                                                        finding.problem, finding.remedy);
    return (text.empty() ? "nothing is wrong with this host\n" : text) + notes;
}

Exit exit_for(const std::vector<Finding>& findings) {
    const bool is_well =
        std::all_of(findings.begin(), findings.end(), [](const Finding& finding) { return finding.is_note; });
    return is_well ? Exit::Done : Exit::Differences;
}

Result<Exit> check(Session& session, const Options& options) {
    std::string ruleset = operations::read_ruleset();
    const operations::AddressFilter filter = operations::read_address_filter(session.paths);
    if (const auto ready = drop_privileges_and_configure(session, Access::Read); !ready)
        return std::unexpected(ready.error());
    auto facts = operations::host_facts(session);
    facts.ruleset = std::move(ruleset);
    facts.address_filter = filter;
    const auto findings = check_host(facts);
    print(options.output == "json" ? operations::json_text(operations::findings_json(findings))
                                   : findings_text(findings, session.out));
    return exit_for(findings);
}

/// The caller's environment must not decide what root runs.
void use_fixed_environment() {
    (void)::clearenv();
    (void)::setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
    (void)::setenv("LC_ALL", "C.UTF-8", 1);
    (void)::setenv("DEBIAN_FRONTEND", "noninteractive", 1);
}

/// Its output goes where ours goes. False: it could not be run, or failed.
bool run(std::vector<std::string> words) {
    std::vector<char*> arguments;
    for (std::string& word : words) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    pid_t child = -1;
    if (const int error =
            ::posix_spawnp(&child, arguments.front(), nullptr, nullptr, arguments.data(), environ);
        error != 0) {
        print_error(fmt::format("{}: {}", words.front(), std::strerror(error)));
        return false;
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return false;
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool is_agreed(const Finding& finding, bool yes) {
    if (!finding.is_outside || yes) return true;
    if (::isatty(STDIN_FILENO) == 0) return false;
    return agrees(fmt::format("This changes the host outside of left4me. Run `{}`?", finding.remedy));
}

/// One after another, since one remedy may mend several findings, or show another.
Result<Exit> init(Session& session, bool yes) {
    if (auto entered = enter_as_root(session); !entered) return std::unexpected(entered.error());
    use_fixed_environment();
    std::set<std::string> considered;
    while (true) {
        const auto findings = check_host(operations::facts_for_root(session));
        const auto next = std::find_if(findings.begin(), findings.end(), [&](const Finding& finding) {
            return !finding.commands.empty() && !considered.contains(finding.remedy);
        });
        if (next == findings.end()) {
            print(findings_text(findings, session.out));
            return exit_for(findings);
        }
        considered.insert(next->remedy);
        if (!is_agreed(*next, yes)) continue;
        print(fmt::format("{}: {}\n+ {}\n", to_string(next->check), next->problem, next->remedy));
        (void)std::fflush(stdout);
        // A failure shows in what is left.
        (void)std::all_of(next->commands.begin(), next->commands.end(), run);
    }
}

}  // namespace

void add_host(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(
        app, session, "host", "Checks everything that must be true of this host, or makes it true",
        "  l4d2ctl host check\n  l4d2ctl host check -o json\n  sudo l4d2ctl host init", [&session, options] {
            return options->what == "init" ? init(session, options->yes) : check(session, *options);
        });
    verb.choice(
        "WHAT", options->what, {"check", "init"},
        "check: exits 1 if something is wrong, and says how to mend it; init: mends what a command can");
    verb.option("-o,--output", options->output, "of check: table or json", {"table", "json"});
    verb.flag("--yes", options->yes, "init does not ask before it changes the host outside of left4me");
}

}  // namespace left4me::ctl
