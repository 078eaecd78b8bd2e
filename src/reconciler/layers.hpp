#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace left4me {

/// One directory of a layer stack, by its name relative to the state directory.
struct Layer {
    enum class Kind { Rendering, Overlay, Installation, Foreign };
    Kind kind = Kind::Foreign;
    std::string_view name;    ///< of the server or overlay
    std::string_view digest;  ///< of the rendering or overlay
};

/// Parses `instances/N/DIGEST/layer`, `overlays/A/DIGEST` and `installation`; everything else is Foreign. The
/// result points into `path`.
Layer parse_layer(std::string_view path);

/// The entry of Observed::artifacts that contains a layer; empty for the installation and foreign layers.
std::string_view artifact_path(std::string_view layer);

/// "tickrate 4f1c → 9ab0, + maps, - cheats": the differences between two stacks in overlays and foreign
/// layers, in terms of the manifests. Empty if at most the instance layer differs.
std::string describe_overlay_changes(const std::vector<std::string>& from,
                                     const std::vector<std::string>& to);

/// "4f1c → 9ab0", with as many digits as needed to distinguish them, at least four.
std::string short_change(std::string_view from, std::string_view to);

}  // namespace left4me
