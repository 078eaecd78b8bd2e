#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/store/content.hpp"
#include "adapters/store/metadata.hpp"
#include "specs/manifest.hpp"

namespace left4me::store {

/// Every level costs the scan a descriptor.
inline constexpr int max_tree_depth = 64;

struct TreeEntry {
    enum class Kind : char { Directory = 'd', File = 'f', Program = 'x', Link = 'l' };
    Kind kind = Kind::File;
    std::string path;
    std::string target;       ///< of a link
    std::uint64_t bytes = 0;  ///< of data in a file; holes do not count
    std::string looks;        ///< of a file: differs when anything about it does, as Looks::fingerprint
};

/// A directory's entries, looked at but not read.
struct Tree {
    std::vector<TreeEntry> entries;  ///< in byte order of their paths: directories before what they hold
    std::uint64_t bytes = 0;         ///< of data in all files
    Looks looks;
};

/// Errors name the path and the remedy: what is neither file, directory nor a symlink that stays inside; a
/// mount point; a file that has another name and is not readable by everybody; more than the limits.
std::expected<Tree, std::string> scan_tree(int root, const SourceLimits& limits = {});

/// Opens a file of a tree for reading, on the tree's own mount, whatever has become of its path since the
/// scan.
std::expected<Fd, std::string> open_file(int root, const TreeEntry& entry);

/// The generation that the content asks for: paths, kinds, contents and whether a file is executable. Owners,
/// times and other mode bits do not count.
std::expected<std::string, std::string> digest_tree(int root, const Tree& tree);

/// The same, entry by entry in the order of Tree::entries.
class TreeDigest {
  public:
    /// `content`: of a file.
    void add(const TreeEntry& entry, const Content& content);
    std::string generation() { return digest_.generation(); }

  private:
    Digest digest_;
};

/// The same for files that stand in a manifest.
std::string digest_inline(const std::map<std::string, std::string>& files);

}  // namespace left4me::store
