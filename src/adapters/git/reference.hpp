#pragma once

#include <git2.h>

#include <expected>
#include <filesystem>
#include <optional>
#include <string>

namespace left4me::git {

// References are read and moved here and not by libgit2. Whoever may push may put anything into refs/heads:
// libgit2 (1.5 and 1.9) blocks for ever on a FIFO, allocates what a sparse file claims to have, and writes
// through a symbolic link to wherever that leads. A loose reference is 40 digits and a newline
// (gitrepository-layout(5)).

/// The commit that `name` (`refs/heads/main`) names: its file, or else its line in packed-refs. nullopt:
/// there is none. Anything but a small regular file is an error, as is a symbolic reference. Never blocks.
std::expected<std::optional<git_oid>, std::string> read_reference(const std::filesystem::path& repository,
                                                                  const std::string& name);

/// Moves `name` to `to` if it still is at `from` (nullptr: is not there), under git's own lock. False: it is
/// somewhere else, or git holds the lock.
std::expected<bool, std::string> move_reference(const std::filesystem::path& repository,
                                                const std::string& name, const git_oid& to,
                                                const git_oid* from);

}  // namespace left4me::git
