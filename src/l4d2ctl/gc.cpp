#include "operations/gc.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "l4d2ctl/progress.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/artifacts.hpp"
#include "operations/reconcile.hpp"
#include "operations/server_view.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

using Verdicts = std::vector<ArtifactVerdict>;

struct Options {
    bool dry_run = false;
    std::string output = "table";
};

std::vector<Cell> verdict_row(const View& view, const ArtifactVerdict& verdict) {
    const auto info = operations::artifact_info(view, verdict.path);
    const auto built = view.observed.built.find(verdict.path);
    return {
        {to_string(verdict.subject), Paint::Bold},
        {verdict.path.substr(verdict.path.rfind('/') + 1)},
        {operations::rounded_size(info)},
        {operations::shared_text(info)},
        {built == view.observed.built.end() ? "-" : operations::age_text(built->second, view.observed.now)},
        {verdict.goes ? "goes" : "stays", verdict.goes ? Paint::Yellow : Paint::Plain},
        {printable(operations::why_text(view, verdict))}};
}

std::string verdicts_table(const View& view, const Verdicts& verdicts, const Terminal& terminal) {
    std::vector<std::vector<Cell>> rows{
        heading({"OBJECT", "ARTIFACT", "SIZE", "SHARED", "AGE", "GC", "WHY"})};
    for (const ArtifactVerdict& verdict : verdicts) rows.push_back(verdict_row(view, verdict));
    return table(rows, terminal);
}

std::string sum_text(const View& view, const Verdicts& verdicts, const char* how) {
    const auto goes = std::count_if(verdicts.begin(), verdicts.end(),
                                    [](const ArtifactVerdict& verdict) { return verdict.goes; });
    return fmt::format("{} of {} {}, {} at most\n", goes, verdicts.size(), how,
                       operations::rounded_size(operations::bytes_that_go(view, verdicts)));
}

/// A pass removes them anyway, when nothing else is under way: this one waits for it. False: something
/// failed.
Result<bool> remove(Session& session, const Verdicts& verdicts, bool quiet) {
    operations::Concern concern;
    for (const ArtifactVerdict& verdict : verdicts) {
        if (verdict.goes) concern.insert(verdict.subject);
    }
    Progress progress(session, concern);
    bool failed = false;
    const auto tell = [&](const StepReport& report) {
        failed = failed || std::any_of(report.ended.outcomes.begin(), report.ended.outcomes.end(),
                                       [&report](const Outcome& outcome) {
                                           const Action& action = report.ended.plan.actions[outcome.action];
                                           return !outcome.done && action.verb == Verb::Prune;
                                       });
        if (!quiet) progress.tell(report);
    };
    const auto last =
        operations::reconcile(session, {.concern = concern, .retry_now = false, .on_report = tell});
    if (!last) return std::unexpected(last.error());
    return !failed;
}

Result<Exit> gc(Session& session, const Options& options) {
    const bool json = options.output == "json";
    if (auto entered = drop_privileges_and_configure(session, options.dry_run ? Access::Read : Access::Act);
        !entered)
        return std::unexpected(entered.error());
    auto view = operations::observe(session);
    if (!view) return std::unexpected(view.error());
    tell_trouble_briefly(view->in_force);
    const Verdicts verdicts = operations::judge_artifacts(*view);
    if (options.dry_run) {
        print(json ? operations::json_text(operations::gc_json(*view, verdicts, nullptr))
                   : verdicts_table(*view, verdicts, session.out) + sum_text(*view, verdicts, "would go"));
        return Exit::Done;
    }
    bool done = true;
    if (!verdicts.empty() && verdicts.front().goes) {
        const auto removed = remove(session, verdicts, json);
        if (!removed) return std::unexpected(removed.error());
        done = *removed;
    }
    const auto left = operations::observe(session);
    if (!left) return std::unexpected(left.error());
    const std::size_t remain = operations::remaining(verdicts, *left);
    print(json ? operations::json_text(operations::gc_json(*view, verdicts, &*left))
               : sum_text(*view, verdicts, "went"));
    if (remain > 0)
        print_error(fmt::format("{} of these are still there; l4d2ctl gc --dry-run says why", remain));
    return done && remain == 0 ? Exit::Done : Exit::Refused;
}

}  // namespace

void add_gc(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "gc", "Removes artifacts and renderings that nothing uses, as every pass does",
                 "  sudo l4d2ctl gc --dry-run\n  sudo l4d2ctl gc -o json",
                 [&session, options] { return gc(session, *options); });
    verb.flag("--dry-run", options->dry_run, "Only shows what would go and what stays, and why");
    verb.option("-o,--output", options->output, "table or json", {"table", "json"});
}

}  // namespace left4me::ctl
