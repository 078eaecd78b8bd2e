#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <string>
#include <vector>

#include "adapters/store/metadata.hpp"

namespace left4me::store {

/// What an overlay may consist of. Kept wide: a community host's maps are some tens of gigabytes.
inline constexpr std::size_t max_tree_entries = 200'000;
inline constexpr std::uint64_t max_tree_bytes = 256ULL << 30U;
inline constexpr int max_tree_depth = 64;

struct TreeEntry {
    enum class Kind : char { Directory = 'd', File = 'f', Program = 'x', Link = 'l' };
    Kind kind = Kind::File;
    std::string path;
    std::string target;  ///< of a link
};

/// A directory's entries, looked at but not read.
struct Tree {
    std::vector<TreeEntry> entries;  ///< in byte order of their paths: directories before what they hold
    Looks looks;
};

/// Errors name the path and the remedy: what is neither file, directory nor a symlink that stays inside; what
/// cannot be read; too many entries or bytes.
std::expected<Tree, std::string> scan_tree(int root);

/// The generation that the content asks for: paths, kinds, contents and whether a file is executable. Owners,
/// times and other mode bits do not count.
std::expected<std::string, std::string> digest_tree(int root, const Tree& tree);

/// The same for files that stand in a manifest.
std::string digest_inline(const std::map<std::string, std::string>& files);

}  // namespace left4me::store
