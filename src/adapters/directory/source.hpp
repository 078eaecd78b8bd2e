#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "specs/load.hpp"

namespace left4me {

/// One whole reading of a watched directory.
struct Snapshot {
    std::string revision;  ///< content hash over names and texts of all files, 16 hex digits
    std::vector<SourceFile> files;
};

/// Reads every `*.yaml` and `*.yml` beneath `directory`, recursively, in byte order of their paths; names starting with
/// a dot and editors' leftovers are passed over. Symlinks to files are followed, so that a ConfigMap-like swap works.
/// A directory that is missing, unreadable or holds no manifest file at all is an error: a vanished source never means
/// "stop everything". (A manifest file without documents is how an operator says "nothing".)
std::expected<Snapshot, std::string> read_directory(const std::filesystem::path& directory, const Limits& limits);

/// Replaces (or makes) one file of the source at once: written beside it, synced, renamed.
std::expected<void, std::string> write_file(const std::filesystem::path& path, const std::string& text);

}  // namespace left4me
