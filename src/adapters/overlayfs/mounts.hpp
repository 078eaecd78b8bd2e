#pragma once

#include <cstdint>
#include <expected>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/paths.hpp"

namespace left4me {

/// The lower layers of every overlay mounted at `runtime/NAME/merged`, by server name, uppermost first.
/// Layers beneath the state directory are relative to it, others absolute. If something other than an overlay
/// is mounted there, it is reported as the single layer "TYPE:SOURCE"; of stacked mounts the uppermost
/// counts. Reads `paths.mountinfo`, which is never truncated, however many layers there are.
std::expected<std::map<std::string, std::vector<std::string>>, std::string> read_mounts(const Paths& paths);

/// The same as one process sees it, in its own mount namespace and from its own root directory; empty if it
/// has exited. Reads only /proc and needs no privilege (fs/proc_namespace.c).
std::map<std::string, std::vector<std::string>> read_mounts_of(std::uint32_t pid, const Paths& paths);

/// The pure half: `text` is a mountinfo file, proc(5).
std::map<std::string, std::vector<std::string>> parse_mountinfo(std::string_view text, const Paths& paths);

/// What is mounted at one mount point.
struct Mounted {
    std::vector<std::string> layers;  ///< as above
    std::string upper;                ///< the overlay's upperdir, relative or absolute like the layers
};

/// Everything mounted at `runtime/*/merged`, by server name. `state` must be the canonical name of the state
/// directory.
std::map<std::string, Mounted> parse_mounted(std::string_view text, const std::string& state);

/// The whole text of a mountinfo file.
std::expected<std::string, std::string> read_mountinfo(const std::filesystem::path& mountinfo);

}  // namespace left4me
