#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace left4me {

/// What one layer has under a name.
enum class LayerFile {
    None,
    File,
    Directory,
    Link,
    Whiteout,    ///< a device 0:0, by which overlayfs hides the name in all lower layers
    Other,       ///< a FIFO, a socket, a device
    Unreadable,  ///< the caller may not look into the directory, or the layer is not there
};

struct LayerEntry {
    LayerFile file = LayerFile::None;
    std::uint64_t size = 0;  ///< of a File, bytes
    /// The merged tree shows it. Of directories it shows all that are not hidden, merged into one.
    bool seen = false;
};

/// The directories of an overlay, uppermost first: open descriptors, -1 for one that cannot be opened.
struct LayerStack {
    std::vector<int> layers;
    /// The mounted tree, -1 if nothing is mounted. Only privileged callers can read that a directory of the
    /// upper layer is opaque (trusted.overlay.opaque, xattr(7)); all others see it by what the tree lacks.
    int merged = -1;
};

/// What the layers have at one path.
struct PathInLayers {
    std::vector<LayerEntry> layers;  ///< as in LayerStack
    /// A directory that was removed and made anew in the uppermost layer hides it in all others.
    bool hidden_by_directory = false;

    /// The uppermost layer that the merged tree shows there; nullopt: it shows nothing.
    std::optional<std::size_t> provider() const;
};

/// Looks a path up as overlayfs does (Documentation/filesystems/overlayfs.rst; redirect_dir and metacopy are
/// off), from the layers. `path`: relative, without "." and ".."; empty: the root. Follows no link.
PathInLayers find_in_layers(const LayerStack& stack, std::string_view path);

/// One name of a directory of the merged tree.
struct MergedName {
    std::string name;
    LayerFile file = LayerFile::None;
    std::size_t provider = 0;
    std::size_t merged = 0;    ///< of a directory: how many layers it is merged from
    std::size_t shadowed = 0;  ///< in how many lower layers the name is hidden
};

struct MergedDirectory {
    std::vector<MergedName> names;  ///< in byte order
    bool more = false;              ///< there were more than max_merged_names
};

inline constexpr std::size_t max_merged_names = 50'000;

/// The names that the merged tree shows in a directory; nullopt: it shows no directory there.
std::optional<MergedDirectory> list_merged(const LayerStack& stack, std::string_view path);

}  // namespace left4me
