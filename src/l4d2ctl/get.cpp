#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "l4d2ctl/json.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/server_view.hpp"
#include "l4d2ctl/source_text.hpp"
#include "l4d2ctl/tables.hpp"
#include "l4d2ctl/verbs.hpp"
#include "l4d2ctl/watch.hpp"

namespace left4me::ctl {

namespace {

struct Options {
    std::vector<std::string> target;
    std::string output = "table";
    bool watch = false;
};

constexpr std::array<Kind, 3> every_kind{Kind::Server, Kind::Blueprint, Kind::Overlay};

template <typename Map>
std::vector<std::string> keys(const Map& map) {
    std::vector<std::string> names;
    for (const auto& [name, value] : map) names.push_back(name);
    return names;
}

std::vector<std::string> manifest_names(const ManifestSet& set, Kind kind) {
    switch (kind) {
        case Kind::Server:
            return keys(set.servers);
        case Kind::Blueprint:
            return keys(set.blueprints);
        case Kind::Overlay:
            return keys(set.overlays);
    }
    return {};
}

/// Those of the manifests, and servers that only the host knows of.
std::vector<std::string> shown_names(const View& view, Kind kind) {
    return kind == Kind::Server ? shown_servers(view) : manifest_names(view.in_force.set, kind);
}

/// The kinds and names that the command line asks for, from those that there are.
Result<std::vector<std::string>> pick(std::vector<std::string> names, Kind kind, const Target& target) {
    if (target.name.empty()) return names;
    if (std::find(names.begin(), names.end(), target.name) == names.end()) {
        return fail(Exit::NotFound, fmt::format("{}/{} is not there", to_string(kind), target.name));
    }
    return std::vector<std::string>{target.name};
}

std::vector<Kind> kinds_of(const Target& target) {
    return target.kind ? std::vector<Kind>{*target.kind}
                       : std::vector<Kind>(every_kind.begin(), every_kind.end());
}

/// Names and manifests stand in the source alone: no host is asked, so completion is quick and works
/// anywhere.
Result<Exit> get_from_source(Session& session, const Target& target, const std::string& output) {
    const auto in_force = read_source(session);
    if (!in_force) return std::unexpected(in_force.error());
    const std::vector<SourceFile>& files = in_force->snapshot.files;
    const DocumentIndex index = output == "yaml" ? index_documents(files) : DocumentIndex();
    std::string text;
    for (const Kind kind : kinds_of(target)) {
        const auto names = pick(manifest_names(in_force->set, kind), kind, target);
        if (!names) return std::unexpected(names.error());
        for (const std::string& name : *names) {
            if (output == "name") {
                text += fmt::format("{}/{}\n", to_string(kind), name);
            } else {
                const DocumentPlace place = index.at({kind, name});
                text += (text.empty() ? "" : "---\n") + document_body(files[place.file].text, place.document);
            }
        }
    }
    print(text);
    return Exit::Done;
}

Result<std::vector<Json>> objects_json(View& view, Kind kind, const std::vector<std::string>& names) {
    std::vector<Json> objects;
    if (kind == Kind::Server) {
        const auto details = unit_details(view, names);
        if (!details) return std::unexpected(details.error());
        for (const std::string& name : names) objects.push_back(server_json(view, name, details->at(name)));
        return objects;
    }
    for (const std::string& name : names)
        objects.push_back(kind == Kind::Blueprint ? blueprint_json(view, name)
                                                  : overlay_object_json(view, name));
    return objects;
}

Result<Exit> get_json(View& view, const Target& target) {
    Json items = Json::array();
    for (const Kind kind : kinds_of(target)) {
        const auto names = pick(shown_names(view, kind), kind, target);
        if (!names) return std::unexpected(names.error());
        const auto objects = objects_json(view, kind, *names);
        if (!objects) return std::unexpected(objects.error());
        for (const Json& object : *objects) {
            Json item{{"kind", manifest_kind(kind)}};
            item.update(object);
            items.push_back(std::move(item));
        }
    }
    print(json_text(target.name.empty() ? Json{{"items", std::move(items)}} : items.front()));
    return Exit::Done;
}

Result<Exit> get_tables(const Session& session, const View& view, const Target& target, bool wide) {
    std::string text;
    for (const Kind kind : kinds_of(target)) {
        const auto names = pick(shown_names(view, kind), kind, target);
        if (!names) return std::unexpected(names.error());
        if (names->empty()) {
            if (target.kind) print_error(fmt::format("no {}s", to_string(kind)));
            continue;
        }
        text += (text.empty() ? "" : "\n") + kind_table(view, kind, *names, wide, session.out);
    }
    print(text);
    return Exit::Done;
}

Result<Exit> get(Session& session, const Options& options) {
    const auto target = parse_target(options.target);
    if (!target) return std::unexpected(target.error());
    if (options.watch &&
        (target->kind != Kind::Server || options.output == "name" || options.output == "yaml"))
        return fail(Exit::Usage, "--watch is for servers, as a table or as json");
    if (auto entered = enter(session, Access::Read); !entered) return std::unexpected(entered.error());
    if (options.watch) return watch_servers(session, target->name, options.output);
    if (options.output == "name" || options.output == "yaml") {
        return get_from_source(session, *target, options.output);
    }
    auto view = look(session);
    if (!view) return std::unexpected(view.error());
    tell_trouble(view->in_force);
    if (options.output == "json") return get_json(*view, *target);
    return get_tables(session, *view, *target, options.output == "wide");
}

}  // namespace

void add_get(CLI::App& app, Session& session) {
    auto options = std::make_shared<Options>();
    Command verb =
        add_verb(app, session, "get", "Shows servers, blueprints or overlays, one line each",
                 "  l4d2ctl get servers\n  l4d2ctl get server comp1 -o yaml\n  l4d2ctl get all -o json",
                 [&session, options] { return get(session, *options); });
    verb.arguments("target", options->target, "KIND [NAME], KIND/NAME, or all");
    verb.option("-o,--output", options->output, "table, wide, yaml (the manifests), json or name",
                {"table", "wide", "yaml", "json", "name"});
    verb.flag("-w,--watch", options->watch,
              "Then a line for each server that changes; json: one object a line");
}

}  // namespace left4me::ctl
