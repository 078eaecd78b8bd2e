#include "reconciler/layers.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace left4me {
namespace {

constexpr std::string_view instances = "instances/";
constexpr std::string_view overlays = "overlays/";
constexpr std::string_view layer_suffix = "/layer";

void add_word(std::string& sentence, const std::string& word) {
    if (!sentence.empty()) sentence += ", ";
    sentence += word;
}

/// The layers of a stack that were chosen by the manifests or by hand: not the instance layer and not the
/// installation.
std::vector<std::string_view> chosen_layers(const std::vector<std::string>& stack) {
    std::vector<std::string_view> chosen;
    for (const std::string& path : stack) {
        const Layer::Kind kind = parse_layer(path).kind;
        if (kind == Layer::Kind::Overlay || kind == Layer::Kind::Foreign) chosen.emplace_back(path);
    }
    return chosen;
}

const std::string_view* find_overlay(const std::vector<std::string_view>& stack, std::string_view path) {
    const Layer wanted = parse_layer(path);
    for (const std::string_view& candidate : stack) {
        const Layer layer = parse_layer(candidate);
        const bool same = wanted.kind == Layer::Kind::Foreign
                              ? candidate == path
                              : layer.kind == Layer::Kind::Overlay && layer.name == wanted.name;
        if (same) return &candidate;
    }
    return nullptr;
}

std::string_view name_of(std::string_view path) {
    const Layer layer = parse_layer(path);
    return layer.kind == Layer::Kind::Overlay ? layer.name : path;
}

bool has_installation(const std::vector<std::string>& stack) {
    return std::any_of(stack.begin(), stack.end(), [](const std::string& path) {
        return parse_layer(path).kind == Layer::Kind::Installation;
    });
}

}  // namespace

Layer parse_layer(std::string_view path) {
    if (path == "installation") return {Layer::Kind::Installation, {}, {}};
    Layer layer;
    std::string_view rest;
    if (path.starts_with(instances) && path.ends_with(layer_suffix)) {
        layer.kind = Layer::Kind::Rendering;
        rest = path.substr(instances.size());
        rest.remove_suffix(std::min(layer_suffix.size(), rest.size()));
    } else if (path.starts_with(overlays)) {
        layer.kind = Layer::Kind::Overlay;
        rest = path.substr(overlays.size());
    }
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos || rest.find('/', slash + 1) != std::string_view::npos) return {};
    layer.name = rest.substr(0, slash);
    layer.digest = rest.substr(slash + 1);
    if (layer.name.empty() || layer.digest.empty()) return {};
    return layer;
}

std::string_view artifact_path(std::string_view layer) {
    switch (parse_layer(layer).kind) {
        case Layer::Kind::Rendering:
            return layer.substr(0, layer.size() - layer_suffix.size());
        case Layer::Kind::Overlay:
            return layer;
        case Layer::Kind::Installation:
        case Layer::Kind::Foreign:
            break;
    }
    return {};
}

std::string describe_overlay_changes(const std::vector<std::string>& from,
                                     const std::vector<std::string>& to) {
    const std::vector<std::string_view> old_layers = chosen_layers(from);
    const std::vector<std::string_view> new_layers = chosen_layers(to);
    std::string changes;
    for (const std::string_view path : new_layers) {
        const std::string_view* before = find_overlay(old_layers, path);
        if (before == nullptr) {
            add_word(changes, fmt::format("+ {}", name_of(path)));
        } else if (*before != path) {
            add_word(changes,
                     fmt::format("{} {}", name_of(path),
                                 short_change(parse_layer(*before).digest, parse_layer(path).digest)));
        }
    }
    for (const std::string_view path : old_layers) {
        if (find_overlay(new_layers, path) == nullptr) add_word(changes, fmt::format("- {}", name_of(path)));
    }
    if (has_installation(to) && !has_installation(from)) add_word(changes, "+ the installation");
    if (changes.empty() && old_layers != new_layers) return "another order";
    return changes;
}

std::string short_change(std::string_view from, std::string_view to) {
    constexpr std::size_t shortest = 4;
    const auto parting = std::mismatch(from.begin(), from.end(), to.begin(), to.end()).first;
    const std::size_t digits =
        std::max(shortest, static_cast<std::size_t>(std::distance(from.begin(), parting)) + 1);
    return fmt::format("{} → {}", from.substr(0, digits), to.substr(0, digits));
}

}  // namespace left4me
