#include "operations/selection.hpp"

#include <fmt/format.h>

#include "specs/selector.hpp"

namespace left4me::operations {

namespace {

template <typename Objects>
const std::map<std::string, std::string>* labels_in(const Objects& objects, const std::string& name) {
    const auto found = objects.find(name);
    return found == objects.end() ? nullptr : &found->second.metadata.labels;
}

/// nullptr: not in the manifests.
const std::map<std::string, std::string>* labels_of(const ManifestSet& set, Kind kind,
                                                    const std::string& name) {
    switch (kind) {
        case Kind::Server:
            return labels_in(set.servers, name);
        case Kind::Blueprint:
            return labels_in(set.blueprints, name);
        case Kind::Overlay:
        case Kind::Installation:
            return labels_in(set.overlays, name);
        case Kind::Host:
            return labels_in(set.hosts, name);
    }
    return nullptr;
}

}  // namespace

Result<std::vector<std::string>> select_servers(const Selection& selection, const ManifestSet& set) {
    for (const std::string& name : selection.names) {
        if (set.servers.contains(name)) continue;
        return fail(ErrorKind::NotFound,
                    fmt::format("server/{} is not there; l4d2ctl get servers lists them", name));
    }
    if (!selection.names.empty()) return selection.names;
    std::vector<std::string> names;
    for (const auto& [name, server] : set.servers) names.push_back(name);
    names = with_labels(std::move(names), Kind::Server, selection.selector, set);
    if (names.empty()) {
        return fail(ErrorKind::NotFound,
                    selection.all ? "there are no servers"
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

}  // namespace left4me::operations
