#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/input.hpp"
#include "l4d2ctl/plan_text.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::vector<std::string> files;
    bool dry_run = false;
    std::shared_ptr<Timeout> timeout = std::make_shared<Timeout>();
};

Result<Exit> show(Session& session, const std::vector<SourceFile>& inputs) {
    if (auto entered = drop_privileges_and_configure(session, Access::Read); !entered)
        return std::unexpected(entered.error());
    const auto proposal = operations::propose(session, inputs);
    if (!proposal) return std::unexpected(proposal.error());
    tell_effects(session, *proposal, " (dry run)");
    const auto seen = operations::look_at(session, make_desired(proposal->set, proposal->revision));
    if (!seen) return std::unexpected(seen.error());
    print(plan_text(seen->plan, seen->observed, session.out));
    return Exit::Done;
}

Result<Exit> apply(Session& session, const Options& options) {
    const auto inputs = read_inputs(options.files);
    if (!inputs) return std::unexpected(inputs.error());
    if (options.dry_run) return show(session, *inputs);
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    return edit_and_reconcile(
        session, [&] { return operations::propose(session, *inputs); }, *options.timeout);
}

}  // namespace

void add_apply(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "apply", "Puts manifests into the source and makes the host follow",
                            "  sudo l4d2ctl apply -f comp1.yaml --wait\n"
                            "  l4d2ctl apply -f manifests/ --dry-run",
                            [&session, options] { return apply(session, *options); });
    verb.repeated("-f,--file", options->files,
                  "FILE, DIR with everything beneath it, or - for standard input", true);
    verb.flag("--dry-run", options->dry_run, "Only check, and show what would change");
    add_wait_option(verb, options->timeout);
}

}  // namespace left4me::ctl
