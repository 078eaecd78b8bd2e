#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/store/files.hpp"
#include "adapters/store/regular_files.hpp"

namespace left4me::store {

/// Smaller files are not looked for in other overlays: they are not worth the comparisons.
inline constexpr std::uint64_t worth_searching = 64U << 10U;

/// What left4me-share tells about an artifact in `overlays/NAME/DIGEST.shared`. One without it has not been
/// sealed: an earlier version built it, or left4me-share was killed.
struct SharedFiles {
    std::uint64_t bytes = 0;  ///< of data, which the artifact had in common with others when it was published
    std::vector<RegularFile> large;  ///< those worth searching; their bytes and inodes are not kept
};

/// `overlay`: the directory `overlays/NAME`; `workplace`: its `.build`. Replaces the file atomically.
Done write_shared(int overlay, int workplace, const std::string& digest, const SharedFiles& shared);
/// nullopt: there is none that can be read, or somebody else than `writer` wrote it.
std::optional<SharedFiles> read_shared(int overlay, const std::string& digest, uid_t writer);
/// SharedFiles::bytes, whoever wrote it.
std::optional<std::uint64_t> read_shared_bytes(int overlay, const std::string& digest);

/// The name of that file.
std::string shared_name(const std::string& digest);

/// `.build/fresh`: a symbolic link to the artifact that the build has just published, which no server uses
/// before left4me-share has ended.
inline constexpr const char* fresh_name = "fresh";

}  // namespace left4me::store
