#include "operations/objects.hpp"

#include <algorithm>

#include "operations/artifacts.hpp"
#include "operations/build_view.hpp"
#include "operations/host_view.hpp"
#include "operations/pins.hpp"
#include "operations/server_view.hpp"
#include "specs/grammars/duration.hpp"
#include "specs/grammars/size.hpp"

namespace left4me::operations {

namespace {

template <typename Map>
std::vector<std::string> keys(const Map& map) {
    std::vector<std::string> names;
    for (const auto& [name, value] : map) names.push_back(name);
    return names;
}

}  // namespace

std::vector<std::string> servers_using(const ManifestSet& set, const std::string& blueprint) {
    std::vector<std::string> names;
    for (const auto& [name, server] : set.servers) {
        if (server.blueprint == blueprint) names.push_back(name);
    }
    return names;
}

std::vector<std::string> blueprints_using(const ManifestSet& set, const std::string& overlay) {
    std::vector<std::string> names;
    for (const auto& [name, blueprint] : set.blueprints) {
        const auto& overlays = blueprint.overlays;
        if (std::find(overlays.begin(), overlays.end(), overlay) != overlays.end() ||
            installation_of(set, blueprint) == overlay)
            names.push_back(name);
    }
    return names;
}

std::vector<std::string> manifest_names(const ManifestSet& set, Kind kind) {
    switch (kind) {
        case Kind::Server:
            return keys(set.servers);
        case Kind::Blueprint:
            return keys(set.blueprints);
        case Kind::Overlay:
        case Kind::Installation: {
            std::vector<std::string> names;
            for (const auto& [name, overlay] : set.overlays) {
                if (kind_of(overlay.source) == kind) names.push_back(name);
            }
            return names;
        }
        case Kind::Host:
            return keys(set.hosts);
    }
    return {};
}

std::vector<std::string> shown_names(const View& view, Kind kind) {
    return kind == Kind::Server ? shown_servers(view) : manifest_names(view.in_force.set, kind);
}

namespace {

Json json_of(const DirectorySource& source) { return {{"directory", source.path}}; }

Json json_of(const InlineSource& source) {
    Json files = Json::array();
    for (const auto& [path, text] : source.files) files.push_back(path);
    return {{"inline", {{"files", std::move(files)}}}};
}

Json json_of(const ArchiveSource& source) {
    Json urls = Json::array();
    for (const ArchiveLocation& location : source.locations) urls.push_back(location.url);
    return {{"archive",
             {{"url", std::move(urls)},
              {"sha256", source.sha256},
              {"into", source.into},
              {"stripComponents", source.strip_components},
              {"exclude", source.exclude}}}};
}

Json json_of(const GitSource& source) {
    return {{"git",
             {{"url", source.url},
              {"hostKeys", source.host_keys},
              {"ref", source.ref},
              {"path", source.path},
              {"into", source.into},
              {"exclude", source.exclude}}}};
}

Json json_of(const MapIndexSource& source) {
    return {{"mapIndex", {{"url", source.url}, {"exclude", source.exclude}}}};
}

Json json_of(const WorkshopSource& source) {
    return {{"workshop",
             {{"items", source.items}, {"collections", source.collections}, {"exclude", source.exclude}}}};
}

Json json_of(const SteamSource& source) {
    return {{"steam", {{"build", source.build.empty() ? Json(nullptr) : Json(source.build)}}}};
}

Json json_of(const ScriptSource& source) {
    return {{"script",
             {{"run", source.run},
              {"network", to_string(source.network)},
              {"timeout", duration_text(source.timeout)},
              {"memory", size_text(source.memory)},
              {"disk", size_text(source.disk)}}}};
}

}  // namespace

Json source_json(const OverlaySource& source) {
    return std::visit([](const auto& alternative) { return json_of(alternative); }, source);
}

Json blueprint_json(const View& view, const std::string& name) {
    const Blueprint& blueprint = view.in_force.set.blueprints.at(name);
    Json json;
    json["name"] = name;
    json["overlays"] = blueprint.overlays;
    const std::string installation = installation_of(view.in_force.set, blueprint);
    json["installation"] = installation.empty() ? Json(nullptr) : Json(installation);
    json["executeConfigs"] = blueprint.execute_configs;
    json["arguments"] = blueprint.arguments;
    json["config"] = blueprint.config;
    json["servers"] = servers_using(view.in_force.set, name);
    return json;
}

Json overlay_object_json(const View& view, const std::string& name) {
    const Overlay& overlay = view.in_force.set.overlays.at(name);
    Json json;
    json["name"] = name;
    json["source"] = source_json(overlay.source);
    const auto observed = view.target.overlays.find(name);
    const bool known = observed != view.target.overlays.end() && observed->second.artifact.has_value();
    json["generation"] = known ? Json(*observed->second.artifact) : Json(nullptr);
    json["built"] = build_state(view, name) == BuildState::Built;
    if (observed != view.target.overlays.end() && !known && !observed->second.is_unbuilt())
        json["error"] = observed->second.artifact.error().message;
    const std::string usable = usable_generation(view, name);
    json["artifact"] = usable.empty() ? Json(nullptr) : Json(usable);
    if (const std::string revision = built_revision(view, name); !revision.empty())
        json["revision"] = revision;
    json.update(pin_json(view, name));
    json["rolledBack"] = rollback_json(view, name);
    Json artifacts = Json::array();
    for (const Artifact& artifact : artifacts_of(view, name)) artifacts.push_back(artifact_json(artifact));
    json["artifacts"] = std::move(artifacts);
    if (std::holds_alternative<WorkshopSource>(overlay.source))
        json["items"] = items_json(info_in_use(view, name));
    json["build"] = build_json(view, name);
    json["blueprints"] = blueprints_using(view.in_force.set, name);
    return json;
}

Result<std::vector<Json>> objects_json(View& view, Kind kind, const std::vector<std::string>& names) {
    std::vector<Json> objects;
    const auto add = [&objects, kind](const Json& object) {
        objects.push_back(Json{{"kind", entry_of(kind).object.name}});
        objects.back().update(object);
    };
    switch (kind) {
        case Kind::Server: {
            const auto details = unit_details(view, names);
            if (!details) return std::unexpected(details.error());
            for (const std::string& name : names) add(server_json(view, name, details->at(name)));
            break;
        }
        case Kind::Blueprint:
            for (const std::string& name : names) add(blueprint_json(view, name));
            break;
        case Kind::Overlay:
        case Kind::Installation:
            for (const std::string& name : names) add(overlay_object_json(view, name));
            break;
        case Kind::Host: {
            if (names.empty()) break;
            const auto units = unit_tunings(view);
            if (!units) return std::unexpected(units.error());
            for (const std::string& name : names) add(host_json(view, name, *units));
            break;
        }
    }
    return objects;
}

}  // namespace left4me::operations
