#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace left4me {

/// One directory of a layer stack, as it is named relative to the state directory.
struct Layer {
    enum class Kind { Rendering, Overlay, Installation, Foreign };
    Kind kind = Kind::Foreign;
    std::string_view name;        ///< of the server or overlay
    std::string_view generation;  ///< of the rendering or overlay
};

/// Takes `instances/N/GEN/layer`, `overlays/A/GEN` and `installation` apart; all else is Foreign.
/// The result points into `path`.
Layer parse_layer(std::string_view path);

/// The directory of Observed::generations that a layer lies in; empty for the installation and foreign
/// layers.
std::string_view generation_path(std::string_view layer);

/// "tickrate 4f1c → 9ab0, + maps, - cheats": what differs between two stacks in overlays and foreign layers,
/// in the words of the manifests. Empty when at most the instance layer differs.
std::string describe_overlay_changes(const std::vector<std::string>& from,
                                     const std::vector<std::string>& to);

/// "4f1c → 9ab0"; as many digits as it takes to tell them apart, four at least.
std::string short_change(std::string_view from, std::string_view to);

}  // namespace left4me
