#include "l4d2ctl/selection.hpp"

#include <algorithm>

#include "specs/selector.hpp"

namespace left4me::ctl {

void add_selection(Command& verb, Selection& into, MayBeAll may_be_all) {
    verb.arguments("NAME", into.names, "The servers", Words::Servers);
    add_selector(verb, into);
    if (may_be_all == MayBeAll::Yes) verb.flag("--all", into.all, "Instead: all servers");
}

void add_selector(Command& verb, Selection& into) {
    verb.option("-l,--selector", into.selector,
                "Instead: all servers with these labels, as in pool=competitive");
}

Result<void> settle(Selection& selection) {
    const int ways =
        (selection.names.empty() ? 0 : 1) + (selection.selector.empty() ? 0 : 1) + (selection.all ? 1 : 0);
    if (ways != 1) {
        return fail(Exit::Usage, ways == 0
                                     ? "which servers? name them, or choose by labels with -l KEY=VALUE"
                                     : "name servers, or choose by labels, or all: not several of these");
    }
    if (!selection.selector.empty()) {
        if (auto parsed = parse_selector(selection.selector); !parsed)
            return fail(Exit::Usage, parsed.error());
    }
    std::vector<std::string> names;
    for (const std::string& word : selection.names) {
        auto name = parse_server_name(word);
        if (!name) return std::unexpected(name.error());
        if (std::find(names.begin(), names.end(), *name) == names.end()) names.push_back(std::move(*name));
    }
    selection.names = std::move(names);
    return {};
}

}  // namespace left4me::ctl
