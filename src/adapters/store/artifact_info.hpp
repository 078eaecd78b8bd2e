#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "adapters/store/files.hpp"
#include "reconciler/time.hpp"

namespace left4me::store {

/// What was told about an artifact when it was published, in `overlays/NAME/DIGEST.json`: nobody walks it
/// again to know. One that an earlier version built has no such file.
struct ArtifactInfo {
    TimePoint built;  ///< when a build last gave it, whether it was new or there
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;  ///< of data in all files; holes do not count
    /// Of these, what it had in common with other artifacts on the disk then; left4me-share tells it in a
    /// file of its own.
    std::uint64_t shared_bytes = 0;
    /// Of an overlay from the workshop: what its items are called there, by their numbers. Written by
    /// strangers.
    std::map<std::string, std::string> titles = {};

    bool operator==(const ArtifactInfo&) const = default;
};

/// `overlay`: the directory `overlays/NAME`. Replaces the file atomically; its modification time is `built`,
/// so that a pass needs no more than a stat.
Done write_info(int overlay, const std::string& digest, const ArtifactInfo& info);
/// nullopt: there is none that can be read.
std::optional<ArtifactInfo> read_info(int overlay, const std::string& digest);
/// Before the artifact is removed; with it goes what left4me-share told. Those that a killed build left
/// without an artifact are removed, too.
Done remove_info(int overlay, const std::string& digest);

/// ArtifactInfo::built from metadata alone; of an artifact without information, when its directory was made.
TimePoint time_built(int overlay, const std::string& digest);

}  // namespace left4me::store
