#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace left4me::store {

/// Every level costs whoever walks the tree one descriptor.
inline constexpr int max_tree_depth = 64;

struct RegularFile {
    std::string path;  ///< from the top of the tree
    std::uint64_t size = 0;
    std::uint64_t bytes = 0;  ///< of data: holes do not count
    std::uint64_t inode = 0;  ///< the same for two names of one file
};

/// The regular files of a tree, unsorted. What cannot be read, or is nested deeper than max_tree_depth, is
/// left out.
std::vector<RegularFile> regular_files(int tree);

}  // namespace left4me::store
