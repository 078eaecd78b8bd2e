#include "operations/server_files.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>

#include "adapters/lines.hpp"
#include "adapters/path_names.hpp"
#include "adapters/store/build_files.hpp"
#include "adapters/store/files.hpp"
#include "operations/artifacts.hpp"
#include "operations/objects.hpp"
#include "operations/server_view.hpp"
#include "operations/upstream.hpp"
#include "reconciler/layers.hpp"
#include "reconciler/pinning.hpp"
#include "specs/text.hpp"
#include "specs/writable.hpp"

namespace left4me::operations {

namespace {

/// The path as the layers have it.
Result<std::string> normalise(const Context& context, const std::string& server, std::string_view path) {
    const std::string merged = (context.paths.runtime() / server / "merged").string();
    if (path == merged || path.starts_with(merged + "/")) path.remove_prefix(merged.size());
    std::string normal;
    for (const std::string_view name : path_names(path)) {
        if (name == "..")
            return fail(ErrorKind::InvalidArgument,
                        "write the path without \"..\", relative to the game's installation");
        if (!normal.empty()) normal += '/';
        normal += name;
    }
    return normal;
}

/// The lower layers, of what is mounted or what the next start mounts.
Result<std::vector<std::string>> lower_layers(const ObservedServer& observed, const TargetServer* target,
                                              const std::string& server) {
    if (observed.stack()) return *observed.stack();
    if (observed.current_rendering) return observed.current_rendering->layers;
    if (target != nullptr && target->rendering) return (*target->rendering)->layers();
    return fail(ErrorKind::NotFound,
                fmt::format("server/{} has no layers yet{}", server,
                            target == nullptr ? "" : ": " + target->rendering.error().message));
}

ServerLayer layer_of(const View& view, const std::string& path) {
    const Layer parsed = parse_layer(path);
    ServerLayer layer{.kind = ServerLayer::Kind::Foreign,
                      .path = path,
                      .name = std::string(parsed.name),
                      .digest = std::string(parsed.digest)};
    switch (parsed.kind) {
        case Layer::Kind::Rendering:
            layer.kind = ServerLayer::Kind::Rendered;
            break;
        case Layer::Kind::Installation:
            layer.kind = ServerLayer::Kind::Installation;
            break;
        case Layer::Kind::Overlay: {
            layer.kind = ServerLayer::Kind::Overlay;
            const auto found = view.in_force.set.overlays.find(layer.name);
            if (found != view.in_force.set.overlays.end()) layer.source = &found->second.source;
            if (kind_of_artifacts(view.in_force.set, layer.name) == Kind::Installation)
                layer.kind = ServerLayer::Kind::Installation;
            break;
        }
        case Layer::Kind::Foreign:
            break;
    }
    return layer;
}

/// Uppermost first, with the directory that the game writes to.
Result<ServerTree> tree_of(const View& view, const std::string& server) {
    if (!is_shown(view, server))
        return fail(ErrorKind::NotFound, fmt::format("server/{} is not there", server));
    const auto found = view.observed.servers.find(server);
    const ObservedServer none;
    const ObservedServer& observed = found == view.observed.servers.end() ? none : found->second;
    const auto lower = lower_layers(observed, view.target.find(server), server);
    if (!lower) return std::unexpected(lower.error());
    ServerTree tree{.server = server, .mounted = observed.mounted.has_value(), .layers = {}};
    if (!observed.runtime.empty())
        tree.layers.push_back({.kind = ServerLayer::Kind::Own,
                               .path = fmt::format("runtime/{}/upper", server),
                               .name = {},
                               .digest = {}});
    for (const std::string& path : *lower) tree.layers.push_back(layer_of(view, path));
    return tree;
}

/// The directories of a tree, open.
struct OpenTree {
    std::vector<Fd> directories;
    LayerStack stack;
};

OpenTree open_tree(const Context& context, const ServerTree& tree) {
    OpenTree open;
    const Fd state(::open(context.paths.state.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    const auto add = [&](const std::string& path) {
        open.directories.push_back(store::open_beneath(state.get(), path, O_RDONLY | O_DIRECTORY));
        return open.directories.back().get();
    };
    for (const ServerLayer& layer : tree.layers) {
        const bool ours = layer.kind != ServerLayer::Kind::Foreign;
        open.stack.layers.push_back(ours ? add(layer.path) : -1);
    }
    if (tree.mounted) open.stack.merged = add(fmt::format("runtime/{}/merged", tree.server));
    return open;
}

/// "item 123 'Title', updated at 2026-03-01 12:03 UTC"; empty: the path is not an item's.
std::string item_text(const WorkshopPin& workshop, const store::ArtifactInfo& info, std::string_view path) {
    constexpr std::string_view addons = "left4dead2/addons/";
    constexpr std::string_view vpk = ".vpk";
    if (!path.starts_with(addons) || !path.ends_with(vpk)) return {};
    path.remove_prefix(addons.size());
    path.remove_suffix(vpk.size());
    const auto item = workshop.items.find(std::string(path));
    if (item == workshop.items.end()) return {};
    const auto title = info.titles.find(item->first);
    const std::chrono::sys_seconds updated{std::chrono::seconds(item->second.updated)};
    return fmt::format("item {}{}, updated at {}", item->first,
                       title == info.titles.end() ? "" : " " + in_quotes(title->second), date_text(updated));
}

/// What a file of an artifact was fetched as. Known of the artifact that was built last.
std::string input_of(const View& view, const ServerLayer& layer, std::string_view path) {
    if (layer.source == nullptr) return {};
    const auto pin = built_pin(view.paths, layer.name, *layer.source);
    const Fd build = store::open_build_directory(view.paths, layer.name);
    if (!pin || !build) return {};
    const BuildRecord record = store::read_record(build.get());
    if (!record.artifact || record.artifact->digest != layer.digest) return {};
    const auto* const workshop = std::get_if<WorkshopPin>(&*pin);
    if (workshop == nullptr) return std::holds_alternative<MapIndexPin>(*pin) ? "" : to_text(*pin);
    return item_text(*workshop, artifact_info(view, layer.path).value_or(store::ArtifactInfo()), path);
}

/// Whether the next start of the server leaves what the game wrote at the path where it is.
bool is_kept(const View& view, const std::string& server, std::string_view path) {
    const auto manifest = view.desired().servers.find(server);
    const std::optional<std::string> patterns =
        manifest == view.desired().servers.end() ? std::nullopt : manifest->second.writable;
    Writable writable = patterns ? Writable(lines_of(*patterns)) : Writable(default_writable);
    while (true) {
        const std::size_t slash = path.find('/');
        const std::string_view name = path.substr(0, slash);
        const WritableMatch match = writable.match(name);
        if (match.rendered) return false;
        if (match.kept && !match.on_the_way) return true;
        if (slash == std::string_view::npos) return match.kept || match.on_the_way;
        writable = writable.enter(name);
        path.remove_prefix(slash + 1);
    }
}

/// A path of the tree that differs from this one only in case, or "".
std::string other_case(const LayerStack& stack, const std::string& path) {
    std::string found;
    for (const std::string_view exact : path_names(path)) {
        const std::string wanted = lower_case(std::string(exact));
        const auto directory = list_merged(stack, found);
        if (!directory) return {};
        const MergedName* best = nullptr;
        for (const MergedName& name : directory->names) {
            if (lower_case(name.name) != wanted) continue;
            if (best == nullptr || name.name == exact) best = &name;
        }
        if (best == nullptr) return {};
        found += (found.empty() ? "" : "/") + best->name;
    }
    return found;
}

LayerRole role_of(const LayerEntry& entry, bool provides) {
    if (provides) return LayerRole::Provides;
    if (entry.seen) return LayerRole::Merged;
    if (entry.file == LayerFile::Whiteout) return LayerRole::Hides;
    if (entry.file == LayerFile::Unreadable) return LayerRole::Unreadable;
    return LayerRole::Shadowed;
}

const char* to_string(ServerLayer::Kind kind) {
    switch (kind) {
        case ServerLayer::Kind::Own:
            return "Own";
        case ServerLayer::Kind::Rendered:
            return "Rendered";
        case ServerLayer::Kind::Overlay:
            return "Overlay";
        case ServerLayer::Kind::Installation:
            return "Installation";
        case ServerLayer::Kind::Foreign:
            return "Foreign";
    }
    return "?";
}

Json layer_json(const ServerLayer& layer) {
    Json json{{"layer", to_string(layer.kind)}, {"path", layer.path}};
    if (layer.kind == ServerLayer::Kind::Overlay) json["overlay"] = layer.name;
    if (!layer.digest.empty()) json["digest"] = layer.digest;
    if (layer.kind == ServerLayer::Kind::Overlay)
        json["source"] = layer.source == nullptr ? Json(nullptr) : source_json(*layer.source);
    return json;
}

}  // namespace

const char* to_string(LayerRole role) {
    switch (role) {
        case LayerRole::Provides:
            return "Provides";
        case LayerRole::Merged:
            return "Merged";
        case LayerRole::Shadowed:
            return "Shadowed";
        case LayerRole::Hides:
            return "Hides";
        case LayerRole::Unreadable:
            return "Unreadable";
    }
    return "?";
}

const char* to_string(LayerFile file) {
    switch (file) {
        case LayerFile::None:
            return "None";
        case LayerFile::File:
            return "File";
        case LayerFile::Directory:
            return "Directory";
        case LayerFile::Link:
            return "Link";
        case LayerFile::Whiteout:
            return "Whiteout";
        case LayerFile::Other:
            return "Other";
        case LayerFile::Unreadable:
            return "Unreadable";
    }
    return "?";
}

std::string layer_text(const ServerLayer& layer) {
    switch (layer.kind) {
        case ServerLayer::Kind::Own:
            return "written by the game";
        case ServerLayer::Kind::Rendered:
            return "rendered";
        case ServerLayer::Kind::Overlay:
            return "overlay/" + layer.name;
        case ServerLayer::Kind::Installation:
            return layer.name.empty() ? "installation" : "installation/" + layer.name;
        case ServerLayer::Kind::Foreign:
            return layer.path;
    }
    return "?";
}

const PathLayer* PathOrigin::provider() const {
    const auto found = std::find_if(layers.begin(), layers.end(),
                                    [](const PathLayer& layer) { return layer.role == LayerRole::Provides; });
    return found == layers.end() ? nullptr : &*found;
}

Result<PathOrigin> explain_path(const Context& context, const View& view, const std::string& server,
                                const std::string& path) {
    auto normal = normalise(context, server, path);
    if (!normal) return std::unexpected(normal.error());
    if (normal->empty()) return fail(ErrorKind::InvalidArgument, "which path?");
    auto tree = tree_of(view, server);
    if (!tree) return std::unexpected(tree.error());
    PathOrigin origin{.tree = std::move(*tree), .path = std::move(*normal), .layers = {}, .closest = {}};
    const OpenTree open = open_tree(context, origin.tree);
    const PathInLayers found = find_in_layers(open.stack, origin.path);
    const auto provider = found.provider();
    for (std::size_t i = 0; i < found.layers.size(); ++i) {
        const LayerEntry& entry = found.layers[i];
        if (entry.file == LayerFile::None) continue;
        const ServerLayer& layer = origin.tree.layers[i];
        origin.layers.push_back(
            {&layer, entry, role_of(entry, provider == i), input_of(view, layer, origin.path)});
    }
    origin.hidden_by_directory = found.hidden_by_directory;
    origin.kept = is_kept(view, server, origin.path);
    if (!provider) origin.closest = other_case(open.stack, origin.path);
    return origin;
}

Json path_json(const PathOrigin& origin) {
    const auto as_json = [](const PathLayer& layer) {
        Json json = layer_json(*layer.layer);
        json["role"] = to_string(layer.role);
        json["kind"] = to_string(layer.entry.file);
        if (!layer.input.empty()) json["input"] = layer.input;
        // The length of a rendered file would tell that of a secret.
        if (layer.entry.file == LayerFile::File && layer.layer->kind != ServerLayer::Kind::Rendered)
            json["bytes"] = layer.entry.size;
        return json;
    };
    Json json{{"server", origin.tree.server}, {"path", origin.path}, {"mounted", origin.tree.mounted}};
    const PathLayer* const provider = origin.provider();
    json["provider"] = provider == nullptr ? Json(nullptr) : as_json(*provider);
    json["hiddenByDirectory"] = origin.hidden_by_directory;
    json["kept"] = origin.kept;
    Json layers = Json::array();
    for (const PathLayer& layer : origin.layers) layers.push_back(as_json(layer));
    json["layers"] = std::move(layers);
    return json;
}

Result<TreeListing> list_tree(const Context& context, const View& view, const std::string& server,
                              const std::string& path) {
    auto normal = normalise(context, server, path);
    if (!normal) return std::unexpected(normal.error());
    auto tree = tree_of(view, server);
    if (!tree) return std::unexpected(tree.error());
    const OpenTree open = open_tree(context, *tree);
    auto listed = list_merged(open.stack, *normal);
    if (!listed) {
        const std::string closest = other_case(open.stack, *normal);
        return fail(ErrorKind::NotFound,
                    fmt::format("{} is not a directory of server/{}{}", in_quotes(*normal), server,
                                closest.empty() || closest == *normal
                                    ? std::string()
                                    : fmt::format("; did you mean {}?", in_quotes(closest))));
    }
    TreeListing listing{.tree = std::move(*tree),
                        .path = std::move(*normal),
                        .names = std::move(listed->names),
                        .total = 0,
                        .more = listed->more};
    listing.total = listing.names.size();
    if (listing.total > max_tree_names) listing.names.resize(max_tree_names);
    return listing;
}

Json tree_json(const TreeListing& listing) {
    Json entries = Json::array();
    for (const MergedName& name : listing.names) {
        Json entry{{"name", name.name}, {"kind", to_string(name.file)}};
        entry["provider"] = layer_json(listing.tree.layers[name.provider]);
        entry["merged"] = name.merged;
        entry["shadowed"] = name.shadowed;
        entries.push_back(std::move(entry));
    }
    return {{"server", listing.tree.server},
            {"path", listing.path},
            {"mounted", listing.tree.mounted},
            {"entries", std::move(entries)},
            {"total", listing.total},
            {"truncated", listing.more || listing.names.size() < listing.total}};
}

}  // namespace left4me::operations
