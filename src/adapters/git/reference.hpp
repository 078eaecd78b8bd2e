#pragma once

#include <git2.h>

#include <expected>
#include <filesystem>
#include <optional>
#include <string>

namespace left4me::git {

// References are read and moved here and not by libgit2. Anybody who may push can put any file into
// refs/heads: libgit2 (1.5 and 1.9) blocks forever on a FIFO, allocates the claimed size of a sparse file,
// and writes through a symbolic link to its target. A loose reference is 40 digits and a newline
// (gitrepository-layout(5)).

/// The commit that `name` (`refs/heads/main`) points to, from its file or its line in packed-refs. nullopt:
/// there is none. Anything other than a small regular file is an error, and so is a symbolic reference. Never
/// blocks.
std::expected<std::optional<git_oid>, std::string> read_reference(const std::filesystem::path& repository,
                                                                  const std::string& name);

/// Moves `name` to `to` if it is still at `from` (nullptr: does not exist), under git's own lock. False: it
/// is elsewhere, or git holds the lock.
std::expected<bool, std::string> move_reference(const std::filesystem::path& repository,
                                                const std::string& name, const git_oid& to,
                                                const git_oid* from);

}  // namespace left4me::git
