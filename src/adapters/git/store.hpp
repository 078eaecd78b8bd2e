#pragma once

#include <filesystem>

#include "adapters/git/library.hpp"

namespace left4me::git {

/// Gives an opened repository a store of objects that looks before it reads: libgit2 (1.5 and 1.9) never
/// returns from reading a loose object whose file was cut short, as a full disk or a power cut leaves it.
/// Alternates that the repository names are left out. 0, or an error of libgit2's.
int use_checked_store(git_repository* repository, const std::filesystem::path& objects);

/// Adds another directory of objects, to be looked through last.
int add_checked_store(git_odb* store, const std::filesystem::path& objects);

}  // namespace left4me::git
