#include <fmt/format.h>

#include "l4d2ctl/verbs.hpp"
#include "operations/host_check.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string what;
    std::string output = "table";
};

std::string findings_text(const std::vector<operations::Finding>& findings, const Terminal& terminal) {
    if (findings.empty()) return "nothing is wrong with this host\n";
    std::string text;
    for (const operations::Finding& finding : findings)
        text += fmt::format("{}: {}\n  {}\n", terminal.paint(Paint::Bold, to_string(finding.check)),
                            finding.problem, finding.remedy);
    return text;
}

Result<Exit> host(Session& session, const Options& options) {
    if (const auto ready = drop_privileges_and_configure(session, Access::Read); !ready)
        return std::unexpected(ready.error());
    const auto findings = check_host(operations::host_facts(session));
    print(options.output == "json" ? operations::json_text(operations::findings_json(findings))
                                   : findings_text(findings, session.out));
    return findings.empty() ? Exit::Done : Exit::Differences;
}

}  // namespace

void add_host(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "host", "Checks everything that must be true of this host",
                            "  l4d2ctl host check\n  l4d2ctl host check -o json",
                            [&session, options] { return host(session, *options); });
    verb.choice("WHAT", options->what, {"check"},
                "check: exits 1 if something is wrong, and says how to mend it");
    verb.option("-o,--output", options->output, "table or json", {"table", "json"});
}

}  // namespace left4me::ctl
