#pragma once

#include <filesystem>

#include "adapters/git/library.hpp"

namespace left4me::git {

/// Adds a store to an opened repository that reads loose objects itself. libgit2 (1.5 and 1.9) never returns
/// from a truncated one, blocks on a FIFO and follows links, and the owner of an object can turn its file
/// into any of these. This store reads only regular files of at most 64 MiB, and libgit2 compares the digest
/// with the name. Root owns packs (layout.hpp), so libgit2 reads them. Alternates named by the repository are
/// ignored. Returns 0, or an error of libgit2.
int use_checked_store(git_repository* repository, const std::filesystem::path& objects);

/// Adds another directory of objects, which is searched last.
int add_checked_store(git_odb* store, const std::filesystem::path& objects);

}  // namespace left4me::git
