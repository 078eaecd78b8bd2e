#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "adapters/git/library.hpp"

namespace left4me::git {

/// Checks a commit's SSH signature against a file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS) and
/// returns the principal that the key belongs to. The author field of the commit is ignored.
std::expected<std::string, std::string> verify_signature(git_repository* repository, const git_commit* commit,
                                                         const std::filesystem::path& allowed_signers);

}  // namespace left4me::git
