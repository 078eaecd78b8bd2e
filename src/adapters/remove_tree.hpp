#pragma once

#include <chrono>
#include <expected>
#include <string>

namespace left4me {

/// Removes the directory `name` in `parent` (an open directory) and all that is in it. Never follows a
/// symlink, never crosses into another mount, and needs no more than a fixed number of file descriptors and
/// of stack frames however deep whoever filled the directory has nested it. False: the deadline passed before
/// all was gone, and another call goes on from there.
std::expected<bool, std::string> remove_tree(
    int parent, const std::string& name,
    std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max());

}  // namespace left4me
