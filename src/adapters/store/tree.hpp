#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/store/content.hpp"
#include "adapters/store/metadata.hpp"
#include "adapters/store/regular_files.hpp"
#include "specs/manifest.hpp"

namespace left4me::store {

struct TreeEntry {
    enum class Kind : char { Directory = 'd', File = 'f', Program = 'x', Link = 'l' };
    Kind kind = Kind::File;
    std::string path;
    std::string target;       ///< of a link
    std::uint64_t bytes = 0;  ///< of data in a file; holes do not count
    std::string stats;  ///< of a file: changes whenever the file changes, as StatFingerprint::fingerprint
};

/// A directory's entries, from their metadata only.
struct Tree {
    std::vector<TreeEntry> entries;  ///< in byte order of their paths: directories before their content
    std::uint64_t bytes = 0;         ///< of data in all files
    StatFingerprint stats;
};

/// Errors name the path and the remedy: anything other than a file, a directory or a symlink that stays
/// inside; a mount point; a file with another hard link that is not readable by everybody; exceeded limits.
std::expected<Tree, std::string> scan_tree(int root, const SourceLimits& limits = {});

/// Opens files of a tree for reading, on the tree's own mount, even if a path was replaced since the scan.
/// The directory of the last one stays open: in the order of Tree::entries, the next file is often in it.
class TreeFiles {
  public:
    explicit TreeFiles(int root) : root_(root) {}
    std::expected<Fd, std::string> open(const TreeEntry& entry);

  private:
    bool enter(std::string_view directory);

    int root_;
    std::optional<std::uint64_t> mount_;
    Fd parent_;  ///< empty: the root
    std::string entered_;
};

/// The artifact that the content asks for: paths, kinds, contents and whether a file is executable. Owners,
/// times and other mode bits do not count.
std::expected<std::string, std::string> digest_tree(int root, const Tree& tree);

/// The same, entry by entry in the order of Tree::entries.
class TreeDigest {
  public:
    /// `content`: of a file.
    void add(const TreeEntry& entry, const Content& content);
    std::string hex() { return digest_.hex(); }

  private:
    Digest digest_;
};

/// The same for files in a manifest.
std::string digest_inline(const std::map<std::string, std::string>& files);

}  // namespace left4me::store
