#pragma once

#include <map>
#include <optional>
#include <string>

#include "adapters/fd.hpp"
#include "adapters/store/tree.hpp"
#include "builder/result.hpp"

namespace left4me::builder {

/// `.build/tree`, in which an artifact grows, and `.build/journal`, which says what of it is whole: a build
/// that was killed goes on where it was. After a reboot it begins anew, for nothing says what of it reached
/// the disk.
class Staging {
  public:
    static Built<Staging> open(int build_directory);

    int tree() const { return tree_.get(); }

    /// Removes what the tree does not have, or has as something else, or of which the journal says nothing.
    Built<void> prune(const store::Tree& tree);
    /// The content of an entry that is here already, as it is in the source now.
    std::optional<store::Content> staged(const store::TreeEntry& entry) const;
    Built<void> remember(const store::TreeEntry& entry, const store::Content& content);

    /// Puts the tree on disk and into `overlay`/`generation`; false if that is there already.
    Built<bool> publish(int overlay, const std::string& generation);
    /// Gives the space back.
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
