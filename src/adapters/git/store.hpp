#pragma once

#include <filesystem>

#include "adapters/git/library.hpp"

namespace left4me::git {

/// Gives an opened repository a store of objects that reads loose objects itself: libgit2 (1.5 and 1.9) never
/// returns from one whose file was cut short, blocks on a FIFO and follows links, and whoever pushed an
/// object may make its file any of these. What is read is regular, at most 64 MiB, and libgit2 compares its
/// digest with its name. Packs are root's (layout.hpp), so libgit2 reads them. Alternates that the repository
/// names are left out. 0, or an error of libgit2's.
int use_checked_store(git_repository* repository, const std::filesystem::path& objects);

/// Adds another directory of objects, to be looked through last.
int add_checked_store(git_odb* store, const std::filesystem::path& objects);

}  // namespace left4me::git
