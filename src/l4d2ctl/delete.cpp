#include "l4d2ctl/changes.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

namespace {

/// `NAME` is a server, as it was in the first left4me; everything else says its kind.
Result<DocumentName> parse_object(const std::vector<std::string>& words) {
    const bool plain_name = words.size() == 1 && words.front().find('/') == std::string::npos;
    const auto target = parse_target(plain_name ? std::vector<std::string>{"server", words.front()} : words);
    if (!target) return std::unexpected(target.error());
    if (!target->kind || target->name.empty())
        return fail(Exit::Usage, "delete what? NAME, KIND NAME or KIND/NAME");
    return DocumentName{*target->kind, target->name};
}

Result<Exit> remove(Session& session, const std::vector<std::string>& words) {
    const auto object = parse_object(words);
    if (!object) return std::unexpected(object.error());
    if (auto entered = enter(session, Access::Act); !entered) return std::unexpected(entered.error());
    return edit_and_reconcile(session, [&] { return propose_removal(session, *object); }, std::nullopt);
}

}  // namespace

void add_delete(CLI::App& app, Session& session) {
    auto words = std::make_shared<std::vector<std::string>>();
    Command verb =
        add_verb(app, session, "delete",
                 "Takes an object out of the source and makes the host follow; a server's files go with it",
                 "  sudo l4d2ctl delete comp1\n  sudo l4d2ctl delete overlay tickrate",
                 [&session, words] { return remove(session, *words); });
    verb.arguments("target", *words, "NAME of a server, KIND NAME or KIND/NAME");
}

}  // namespace left4me::ctl
