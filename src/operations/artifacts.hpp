#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "adapters/store/artifact_info.hpp"
#include "operations/json.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

/// An artifact of an overlay on this host.
struct Artifact {
    std::string digest;
    TimePoint built;                          ///< when a build last gave it
    std::optional<store::ArtifactInfo> info;  ///< nullopt: an earlier version built it
};

/// Those of an overlay, the last built first.
std::vector<Artifact> artifacts_of(const Seen& seen, const std::string& overlay);
/// `path`: as in Observed::artifacts; of anything but an overlay's artifact nullopt.
std::optional<store::ArtifactInfo> artifact_info(const Seen& seen, const std::string& path);

/// Of the artifact that servers can have.
std::optional<store::ArtifactInfo> info_in_use(const Seen& seen, const std::string& overlay);

/// "1.5 GiB", "640 KiB", "12 bytes".
std::string rounded_size(std::uint64_t bytes);
/// `sizes` of those without information: "-".
std::string rounded_size(const std::optional<store::ArtifactInfo>& info);
std::string shared_text(const std::optional<store::ArtifactInfo>& info);

/// A line for each: digest, age, size, and which one is in use.
std::string artifacts_text(const Seen& seen, const std::string& overlay);
Json artifact_json(const Artifact& artifact);

/// "698857882  Ions Vocalizer", a line for each item of the workshop in this artifact, sorted; empty: none.
std::string items_text(const std::optional<store::ArtifactInfo>& info);
/// [{`id`, `title`}]
Json items_json(const std::optional<store::ArtifactInfo>& info);

/// `artifact`, `by`, `at`, `reason`; null: the overlay follows its source.
Json rollback_json(const Seen& seen, const std::string& overlay);

}  // namespace left4me::operations
