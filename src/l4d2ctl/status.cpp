#include <fmt/format.h>

#include "l4d2ctl/json.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/server_page.hpp"
#include "l4d2ctl/server_view.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::string name;
    bool json = false;
};

Result<Exit> status(Session& session, const Options& options) {
    if (auto checked = check_name(options.name); !checked) return std::unexpected(checked.error());
    if (auto entered = enter(session, Access::Read); !entered) return std::unexpected(entered.error());
    auto view = look(session);
    if (!view) return std::unexpected(view.error());
    tell_trouble(view->in_force);
    if (!is_shown(*view, options.name)) {
        return fail(Exit::NotFound, fmt::format("server/{} is not there", options.name));
    }
    const auto details = unit_details(*view, options.name);
    if (!details) return std::unexpected(details.error());
    print(options.json ? json_text(server_json(*view, options.name, *details))
                       : server_page(*view, options.name, *details, session.out));
    return Exit::Done;
}

}  // namespace

void add_status(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "status", "Shows one server: what is wanted, and what is",
                 "  l4d2ctl status comp1 --json", [&session, options] { return status(session, *options); });
    verb.argument("NAME", options->name, "The server");
    verb.flag("--json", options->json, "As one JSON object with stable fields");
}

}  // namespace left4me::ctl
