#include "operations/summary.hpp"

#include <fmt/format.h>

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/plan_text.hpp"
#include "l4d2ctl/server_page.hpp"
#include "l4d2ctl/verbs.hpp"
#include "operations/server_view.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string name;
    std::string output = "text";
    bool json = false;
};

std::string summary_page(const Session& session, const View& view, const operations::Summary& summary) {
    std::vector<std::vector<Cell>> rows{
        {{"Source"}, {summary.source}},
        {{"Revision"}, {view.in_force.snapshot.revision}},
        {{"Servers"},
         {fmt::format("{} running; {} agree, {} differ, {} held", summary.running, summary.agree,
                      summary.differ, summary.held)}}};
    if (view.in_force.error_kind != SourceErrorKind::None)
        rows.insert(rows.begin() + 2,
                    {{"State"},
                     {std::string(summary.state) + ": the last good revision is in force", Paint::Yellow}});
    if (view.status.last_pass)
        rows.push_back(
            {{"Last pass"}, {operations::age_text(*view.status.last_pass, view.observed.now) + " ago"}});
    if (const auto& all = view.intent.suspended.all)
        rows.push_back({{"Suspended"}, {printable(suspension_text(*all)), Paint::Yellow}});
    for (const auto& [overlay, rollback] : view.intent.rollbacks)
        rows.push_back(
            {{"Overlay"}, {printable("overlay/" + overlay + " " + rollback_text(rollback)), Paint::Yellow}});
    for (auto& row : rows) row.front().paint = Paint::Dim;
    std::string text = table(rows, session.out);
    const PlanColumns columns(view.plan);
    std::string waiting;
    for (const Action& action : view.plan.actions)
        waiting += action_line(action, columns, session.out) + "\n";
    return text + section("Differences", waiting, session.out);
}

Result<Exit> whole_status(const Session& session, const View& view, bool json) {
    const operations::Summary summary = operations::summary_of(session, view);
    print(json ? operations::json_text(operations::summary_json(view, summary))
               : summary_page(session, view, summary));
    return Exit::Done;
}

Result<Exit> server_status(const Session& session, View& view, const std::string& name, bool json) {
    if (!operations::is_shown(view, name))
        return fail(Exit::NotFound, fmt::format("server/{} is not there", name));
    const auto details = operations::unit_details(view, name);
    if (!details) return std::unexpected(details.error());
    print(json ? operations::json_text(operations::server_json(view, name, *details))
               : server_page(view, name, *details, session.out));
    return Exit::Done;
}

Result<Exit> status(Session& session, const Options& options) {
    const bool whole = options.name.empty();
    const auto name = whole ? Result<std::string>() : parse_server_name(options.name);
    if (!name) return std::unexpected(name.error());
    if (auto entered = drop_privileges_and_configure(session, Access::Read); !entered)
        return std::unexpected(entered.error());
    auto view = operations::observe(session);
    if (!view) return std::unexpected(view.error());
    whole ? report_source_error(view->in_force) : tell_trouble_briefly(view->in_force);
    if (whole && !session.config.warnings.empty()) print_error(to_string(session.config.warnings));
    const bool json = options.json || options.output == "json";
    return whole ? whole_status(session, *view, json) : server_status(session, *view, *name, json);
}

}  // namespace

void add_status(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb = add_verb(app, session, "status",
                            "Shows how the host compares with its source; with a name, one server",
                            "  l4d2ctl status\n  l4d2ctl status comp1 -o json",
                            [&session, options] { return status(session, *options); });
    verb.optional_argument("NAME", options->name, "The server", Words::Servers);
    verb.option("-o,--output", options->output, "text or json", {"text", "json"});
    verb.flag("--json", options->json, "The same as -o json");
}

}  // namespace left4me::ctl
