#pragma once

#include <expected>
#include <string>
#include <vector>

#include "adapters/git/library.hpp"
#include "adapters/source/source.hpp"

namespace left4me::git {

/// Every manifest of one commit beneath `directory` (empty: the whole tree), in byte order of the paths, read
/// from the object store without a checkout. Names that start with a dot are skipped, as in a directory
/// source. Anybody who can push can write any tree, so everything in it is checked: symlinks, submodules,
/// names that would lead elsewhere, and sizes before the bytes. Messages begin with `prefix`PATH.
std::expected<std::vector<SourceFile>, SourceError> read_tree(git_repository* repository,
                                                              const git_commit* commit,
                                                              const std::string& directory,
                                                              const Limits& limits,
                                                              const std::string& prefix);

}  // namespace left4me::git
