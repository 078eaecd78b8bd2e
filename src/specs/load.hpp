#pragma once

#include <cstddef>
#include <expected>
#include <span>
#include <string>
#include <vector>

#include "specs/manifest.hpp"

namespace left4me {

/// One file of a source, already read.
struct SourceFile {
    std::string name;  ///< as it appears in messages
    std::string text;
};

/// Where Debian's package puts it.
inline constexpr const char* default_steamcmd = "/usr/games/steamcmd";

/// Limits on what operators, or anybody who can push, may make us read. Exceeding one is a clear error.
struct Limits {
    std::size_t file_bytes = 1U << 20U;  ///< one manifest file
    std::size_t documents = 10'000;      ///< of one revision, over all files
    std::size_t depth = 32;              ///< nesting within one document
    /// Where directories of overlays may be: absolute, normalised paths. A host's configuration is usually
    /// narrower.
    std::vector<std::string> overlay_roots{"/"};
    SourceLimits source;  ///< of each overlay
    /// As ArchiveSource::private_networks.
    std::vector<std::string> private_networks{};
    std::string steamcmd = default_steamcmd;  ///< as SteamSource::steamcmd
    /// Files in /etc/left4me/secrets that no Blueprint may list, because they belong to the host itself.
    std::vector<std::string> reserved_secrets{};
    /// The revision was in force before, so rules of later versions must not make it invalid.
    bool followed_before = false;
};

/// Parses and cross-checks a whole revision: manifests, and the lock file (is_lock_file()) if it is there.
/// Either every document is valid, or all errors of the revision are returned together, sorted by file, line
/// and column; never a partial set.
std::expected<ManifestSet, Diagnostics> load(std::span<const SourceFile> files, const Limits& limits = {});

}  // namespace left4me
