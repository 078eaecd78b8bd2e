#pragma once

#include <expected>
#include <string>

namespace left4me::helper {

/// Removes the directory `name` in `parent` (an open directory) and all that is in it. Never follows a
/// symlink, never crosses into another mount, and needs no more than a fixed number of file descriptors and
/// of stack frames however deep whoever filled the directory has nested it.
std::expected<void, std::string> remove_tree(int parent, const std::string& name);

}  // namespace left4me::helper
