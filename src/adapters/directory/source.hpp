#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "adapters/source/source.hpp"
#include "specs/load.hpp"

namespace left4me {

/// Reads every `*.yaml` and `*.yml` beneath `directory`, recursively, in byte order of their paths; names
/// starting with a dot and editors' leftovers are passed over. Symlinks to files are followed, so that a
/// ConfigMap-like swap works. A directory that is missing, unreadable or holds no manifest file at all is an
/// error: a vanished source never means "stop everything". (A manifest file without documents is how an
/// operator says "nothing".) A change that commit() was killed in the middle of is read as if it were
/// finished.
std::expected<Snapshot, std::string> read_directory(const std::filesystem::path& directory,
                                                    const Limits& limits);

/// The files beneath `directory` that read_directory() would read, none being no error. For files named by a
/// person, who may keep a single manifest in an otherwise empty place.
std::expected<std::vector<SourceFile>, std::string> read_manifests(const std::filesystem::path& directory,
                                                                   const Limits& limits);

/// The message for the first directory or manifest beneath `directory` that this user may not read; "" if
/// there is none.
std::string unreadable_manifest(const std::filesystem::path& directory);

/// The content hash that names a revision. Names count relative to `directory`, so that a copy has the same
/// one.
std::string revision_of(const std::filesystem::path& directory, const std::vector<SourceFile>& files);

/// Makes a change of any number of files whole or not at all, also when killed at any instant: one file is
/// renamed into its place; of several, a journal is, which read_directory() takes into account and
/// finish_commit() rolls forward. Call it under the lock for edits.
std::expected<void, std::string> commit(const std::filesystem::path& directory, const SourceChange& change);

/// Finishes what an earlier commit() was killed in the middle of. A file that a person has edited since is
/// left alone.
std::expected<void, std::string> finish_commit(const std::filesystem::path& directory);

}  // namespace left4me
