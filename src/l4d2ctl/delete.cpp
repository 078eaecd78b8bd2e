#include <algorithm>

#include "l4d2ctl/acting.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/selection.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

/// Whether the words include the kind of the objects; otherwise they are names of servers.
bool names_a_kind(const std::vector<std::string>& words) {
    return !words.empty() && (words.front().find('/') != std::string::npos || parse_kind(words.front()) ||
                              words.front() == "all");
}

Result<std::vector<operations::DocumentName>> parse_objects(const std::vector<std::string>& words) {
    const auto target = parse_target(words);
    if (!target) return std::unexpected(target.error());
    if (!target->kind || target->names.empty()) {
        return fail(Exit::Usage,
                    "delete what? \"" + words.front() + "\" is a kind: write NAME, KIND NAME or KIND/NAME");
    }
    std::vector<operations::DocumentName> objects;
    for (const std::string& name : target->names) objects.push_back({*target->kind, name});
    return objects;
}

Result<Exit> remove(Session& session, Selection& selection) {
    std::vector<operations::DocumentName> objects;
    if (selection.selector.empty() && names_a_kind(selection.names)) {
        auto parsed = parse_objects(selection.names);
        if (!parsed) return std::unexpected(parsed.error());
        objects = std::move(*parsed);
    } else if (auto settled = settle(selection); !settled) {
        return std::unexpected(settled.error());
    }
    if (auto entered = drop_privileges_and_configure(session, Access::Act); !entered)
        return std::unexpected(entered.error());
    const auto make = [&] {
        return objects.empty() ? operations::propose_removal(session, selection)
                               : operations::propose_removal(session, objects);
    };
    const bool servers =
        std::all_of(objects.begin(), objects.end(),
                    [](const operations::DocumentName& object) { return object.kind == Kind::Server; });
    return servers ? edit_servers_and_reconcile(session, make, std::nullopt)
                   : edit_and_reconcile(session, make, std::nullopt);
}

}  // namespace

void add_delete(CLI::App& app, Session& session) {
    auto selection = std::make_shared<Selection>();
    Command verb =
        add_verb(app, session, "delete",
                 "Removes objects from the source and makes the host follow; also removes a server's files",
                 "  sudo l4d2ctl delete comp1 comp2\n  sudo l4d2ctl delete overlay tickrate\n"
                 "  sudo l4d2ctl delete -l pool=event",
                 [&session, selection] { return remove(session, *selection); });
    verb.arguments("OBJECT", selection->names, "NAMEs of servers, KIND NAME… or KIND/NAME…", Words::Objects);
    verb.option("-l,--selector", selection->selector,
                "Instead: all servers with these labels, as in pool=event");
}

}  // namespace left4me::ctl
