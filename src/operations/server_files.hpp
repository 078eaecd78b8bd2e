#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/overlayfs/merged.hpp"
#include "operations/json.hpp"
#include "operations/view.hpp"

/// Where the files of a server come from. All of it is read from the layers, and no content is: renderings
/// hold secrets.
namespace left4me::operations {

/// One layer of a server's tree.
struct ServerLayer {
    enum class Kind {
        Own,           ///< what the game wrote: the upper directory
        Rendered,      ///< what left4me rendered for this server
        Overlay,       ///< an artifact
        Installation,  ///< the game
        Foreign,       ///< nothing of left4me's
    };
    Kind kind = Kind::Foreign;
    std::string path;    ///< relative to the state directory if beneath it
    std::string name;    ///< of an overlay
    std::string digest;  ///< of an artifact or a rendering
    /// Of an overlay: where its files come from. nullptr: the manifests do not name it any more.
    const OverlaySource* source = nullptr;
};

/// What a layer does for one path.
enum class LayerRole {
    Provides,    ///< the game sees this one
    Merged,      ///< a directory whose entries the game sees, too
    Shadowed,    ///< a layer above has the same name
    Hides,       ///< the game removed the file: it is hidden in the layers below
    Unreadable,  ///< only the game may look into it
};
const char* to_string(LayerRole role);

/// A server's tree: as it is mounted or, of a server that does not run, as its next start mounts it.
struct ServerTree {
    std::string server;
    bool mounted = false;
    std::vector<ServerLayer> layers;  ///< uppermost first
};

/// One layer that has something at a path.
struct PathLayer {
    const ServerLayer* layer = nullptr;  ///< of PathOrigin::tree
    LayerEntry entry;
    LayerRole role = LayerRole::Shadowed;
    /// What it was fetched as, as in `commit 0123456789ab`; empty: unknown. It may hold what strangers wrote.
    std::string input = {};
};

/// The origin of one path of a server.
struct PathOrigin {
    ServerTree tree;
    std::string path;               ///< relative to the game's root
    std::vector<PathLayer> layers;  ///< those that have something there, uppermost first
    /// The game removed a directory and made it anew: what the layers below have in it is hidden.
    bool hidden_by_directory = false;
    bool kept = false;    ///< the game may keep what it wrote there across starts
    std::string closest;  ///< if nothing is there: a path that differs only in case, or ""

    /// nullptr: the game sees nothing there.
    const PathLayer* provider() const;
};

/// `path`: relative to the game's root, or an absolute path beneath the server's merged directory.
/// InvalidArgument: it leaves the tree; NotFound: no such server, or it has no layers yet.
Result<PathOrigin> explain_path(const Context& context, const View& view, const std::string& server,
                                const std::string& path);
/// The output of `explain-path -o json`; docs/cli.md documents its fields.
Json path_json(const PathOrigin& origin);

/// A directory of a server.
struct TreeListing {
    ServerTree tree;
    std::string path;
    std::vector<MergedName> names;  ///< the first max_tree_names; providers are of ServerTree::layers
    std::size_t total = 0;          ///< how many there are
    bool more = false;              ///< `total` is not all of them
};

inline constexpr std::size_t max_tree_names = 1000;

/// Errors as explain_path(); NotFound also if the path is not a directory.
Result<TreeListing> list_tree(const Context& context, const View& view, const std::string& server,
                              const std::string& path);
/// The output of `tree -o json`.
Json tree_json(const TreeListing& listing);

/// "File", "Directory", …: the text in JSON.
const char* to_string(LayerFile file);
/// "overlay/tickrate", "installation", …: the same layer in text.
std::string layer_text(const ServerLayer& layer);

}  // namespace left4me::operations
