#include <fmt/format.h>

#include "l4d2ctl/conflict_warnings.hpp"
#include "l4d2ctl/input.hpp"
#include "l4d2ctl/plan_text.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/edit.hpp"
#include "operations/pins.hpp"
#include "operations/plan_json.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::vector<std::string> files;
    std::string output = "text";
    std::string revision;
};

operations::Result<Desired> desired_revision(Session& session, const Options& options,
                                             const std::vector<SourceFile>& inputs) {
    if (!options.revision.empty()) return operations::other_revision(session, options.revision);
    if (inputs.empty()) return operations::own_revision(session);
    const auto proposal = operations::propose(session, inputs);
    if (!proposal) return std::unexpected(proposal.error());
    return make_desired(proposal->set, proposal->revision);
}

Result<Exit> diff(Session& session, const Options& options) {
    if (!options.revision.empty() && !options.files.empty()) {
        return fail(Exit::Usage, "diff: either --revision or -f, not both");
    }
    if (session.served && !options.files.empty())
        return fail(Exit::Refused,
                    "diff -f: files are opened with your own rights only\n  sudo l4d2ctl diff -f …");
    const auto inputs = read_inputs(options.files);
    if (!inputs) return std::unexpected(inputs.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Read); !entered)
        return std::unexpected(entered.error());
    auto desired = desired_revision(session, options, *inputs);
    if (!desired) return std::unexpected(desired.error());
    const auto seen = operations::look_at(session, std::move(*desired));
    if (!seen) return std::unexpected(seen.error());
    warn_of_stale_pins(seen->desired().stale_pins);
    warn_of_conflicts(session, seen->desired().overlays, operations::stacks_of(seen->desired()));
    for (const std::string& news : operations::upstream_news(session.paths, seen->desired().overlays))
        print_error(fmt::format("note: {}\n", printable_line(news)));
    if (options.output == "json") {
        print(operations::json_text(operations::plan_json(seen->plan, seen->observed)));
    } else {
        print(plan_text(seen->plan, seen->observed, session.out));
    }
    return seen->plan.empty() ? Exit::Done : Exit::Differences;
}

}  // namespace

void add_diff(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "diff", "Shows what a pass would do now, and why; exits 1 if anything differs",
                 "  l4d2ctl diff\n  l4d2ctl diff -f comp1.yaml -o json\n  l4d2ctl diff --revision main~1",
                 [&session, options] { return diff(session, *options); });
    verb.repeated("-f,--file", options->files, "As if these manifests had been applied: FILE, DIR or -",
                  false);
    verb.option("--revision", options->revision,
                "As if the source were at this commit or branch of the repository");
    verb.option("-o,--output", options->output, "text or json", {"text", "json"});
}

}  // namespace left4me::ctl
