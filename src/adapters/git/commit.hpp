#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "adapters/git/library.hpp"
#include "adapters/source/source.hpp"

namespace left4me::git {

/// Commits a change onto `change.base` (empty: the branch does not exist yet) and moves the branch there if
/// it is still at the base, so a concurrent push is never lost. The author is `who`, the committer left4me.
/// `path` is the repository.
std::expected<std::string, CommitError> commit_change(git_repository* repository,
                                                      const std::filesystem::path& path,
                                                      const std::string& branch, const SourceChange& change,
                                                      const Authorship& who);

}  // namespace left4me::git
