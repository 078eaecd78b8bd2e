#include "l4d2ctl/selection.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "specs/selector.hpp"

namespace left4me::ctl {

namespace {

template <typename Objects>
const std::map<std::string, std::string>* labels_in(const Objects& objects, const std::string& name) {
    const auto found = objects.find(name);
    return found == objects.end() ? nullptr : &found->second.metadata.labels;
}

/// nullptr: no manifest names the object.
const std::map<std::string, std::string>* labels_of(const ManifestSet& set, Kind kind,
                                                    const std::string& name) {
    switch (kind) {
        case Kind::Server:
            return labels_in(set.servers, name);
        case Kind::Blueprint:
            return labels_in(set.blueprints, name);
        case Kind::Overlay:
            return labels_in(set.overlays, name);
    }
    return nullptr;
}

}  // namespace

void add_selection(Command& verb, Selection& into, MayBeAll may_be_all) {
    verb.arguments("NAME", into.names, "The servers", Words::Servers);
    verb.option("-l,--selector", into.selector,
                "Instead: all servers with these labels, as in pool=competitive");
    if (may_be_all == MayBeAll::Yes) verb.flag("--all", into.all, "Instead: all servers");
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

Result<std::vector<std::string>> select_servers(const Selection& selection, const ManifestSet& set) {
    for (const std::string& name : selection.names) {
        if (set.servers.contains(name)) continue;
        return fail(Exit::NotFound,
                    fmt::format("server/{} is not there; l4d2ctl get servers lists them", name));
    }
    if (!selection.names.empty()) return selection.names;
    std::vector<std::string> names;
    for (const auto& [name, server] : set.servers) names.push_back(name);
    names = with_labels(std::move(names), Kind::Server, selection.selector, set);
    if (names.empty()) {
        return fail(Exit::NotFound, selection.all
                                        ? "there are no servers"
                                        : fmt::format("no server has the labels {}", selection.selector));
    }
    return names;
}

std::vector<std::string> with_labels(std::vector<std::string> names, Kind kind, const std::string& selector,
                                     const ManifestSet& set) {
    if (selector.empty()) return names;
    const auto parsed = parse_selector(selector);
    std::erase_if(names, [&](const std::string& name) {
        const auto* const labels = labels_of(set, kind, name);
        return !parsed || labels == nullptr || !matches(*parsed, *labels);
    });
    return names;
}

}  // namespace left4me::ctl
