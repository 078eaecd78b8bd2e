#pragma once

#include <expected>
#include <string>

#include "adapters/git/library.hpp"
#include "adapters/source/source.hpp"

namespace left4me::git {

/// Commits a change onto `change.base` (empty: the branch does not exist yet) and moves the branch there, if
/// it still stands at the base: a push that came between is never lost. The author is `who`, the committer
/// left4me.
std::expected<std::string, CommitError> commit_change(git_repository* repository, const std::string& branch,
                                                      const SourceChange& change, const Authorship& who);

}  // namespace left4me::git
