#pragma once

#include <chrono>
#include <expected>
#include <string>

namespace left4me {

/// Removes the directory `name` in `parent` (an open directory) with all its content. Never follows a symlink
/// and never crosses into another mount. Uses a fixed number of file descriptors and stack frames, however
/// deep the tree is. False: the deadline passed first; another call continues.
std::expected<bool, std::string> remove_tree(
    int parent, const std::string& name,
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max());

}  // namespace left4me
