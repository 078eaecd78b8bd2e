#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "adapters/source/source.hpp"
#include "specs/load.hpp"

namespace left4me {

/// Reads every `*.yaml` and `*.yml` beneath `directory`, recursively, in byte order of their paths, and
/// `left4me.lock` at its top. Skips
/// names that start with a dot and editors' leftovers. Follows symlinks to files, so that a swap like
/// ConfigMap's works. A directory that is missing, unreadable or without any manifest file is an error: a
/// vanished source never means "stop everything". (To say "nothing", an operator keeps a manifest file
/// without documents.) A change that commit() was killed in the middle of is read as if it were complete.
std::expected<Snapshot, std::string> read_directory(const std::filesystem::path& directory,
                                                    const Limits& limits);

/// The files beneath `directory` that read_directory() would read; none is not an error. For paths given by a
/// person, who may keep a single manifest in an otherwise empty directory.
std::expected<std::vector<SourceFile>, std::string> read_manifests(const std::filesystem::path& directory,
                                                                   const Limits& limits);

/// The message for the first directory or manifest beneath `directory` that this user may not read; "" if
/// there is none.
std::string unreadable_manifest(const std::filesystem::path& directory);

/// The content hash that names a revision. Names are relative to `directory`, so a copy has the same hash.
std::string revision_of(const std::filesystem::path& directory, const std::vector<SourceFile>& files);

/// Changes any number of files atomically, even if killed at any instant. One file is renamed into place. For
/// several, a transaction log is renamed into place; read_directory() takes it into account and
/// finish_commit() rolls it forward. Call it while holding the lock for edits.
std::expected<void, std::string> commit(const std::filesystem::path& directory, const SourceChange& change);

/// Completes an earlier commit() that was killed. Leaves files alone that a person has edited since.
std::expected<void, std::string> finish_commit(const std::filesystem::path& directory);

}  // namespace left4me
