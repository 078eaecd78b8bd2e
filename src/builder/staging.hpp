#pragma once

#include <map>
#include <optional>
#include <string>

#include "adapters/fd.hpp"
#include "adapters/store/tree.hpp"
#include "builder/result.hpp"
#include "specs/pins.hpp"

namespace left4me::builder {

/// The staged files of a source, once complete.
struct Staged {
    std::string digest;         ///< of the content
    std::string input;          ///< of the source as it was scanned
    std::string revision = {};  ///< as BuiltArtifact::revision
    /// Of a source that moves: what it stood for.
    std::optional<Pin> pin = {};
    std::map<std::string, std::string> titles = {};  ///< as ArtifactInfo::titles
};

/// `.build/tree`, in which an artifact is built, and `.build/journal`, which records its complete files: a
/// killed build continues where it was. `.build/download` is what the source has to download first. After a
/// reboot it starts over, because nothing shows which data reached the disk.
class Staging {
  public:
    static Built<Staging> open(int build_directory);
    static constexpr const char* download_name = "download";

    int tree() const { return tree_.get(); }

    /// An empty tree and an empty journal. What was downloaded stays.
    Built<void> restart();
    /// Removes entries that the tree does not have or has as something else, and those that the journal does
    /// not mention.
    Built<void> prune(const store::Tree& tree);
    /// The content of an entry that is already staged and unchanged in the source.
    std::optional<store::Content> staged(const store::TreeEntry& entry) const;
    Built<void> remember(const store::TreeEntry& entry, const store::Content& content);

    /// Moves the tree to another place of the file system, and begins an empty one.
    Built<void> move_tree_to(int directory, const std::string& name);
    /// Takes what is there as the tree.
    Built<void> adopt(int directory, const std::string& name);

    /// Syncs the tree to disk and renames it to `overlay`/DIGEST; false if that exists already.
    Built<bool> publish(int overlay, const std::string& digest);
    /// Frees the disk space.
    static Built<void> discard(int build_directory);

  private:
    Staging(int build_directory, Fd tree, Fd journal)
        : directory_(build_directory), tree_(std::move(tree)), journal_(std::move(journal)) {}
    Built<void> prune_beneath(int directory, const std::string& prefix, const store::Tree& tree);
    void read(const std::string& journal);

    int directory_;
    Fd tree_;
    Fd journal_;
    std::map<std::string, store::Content> known_;  ///< by TreeEntry::looks, which holds the path
};

}  // namespace left4me::builder
