#pragma once

#include <expected>
#include <filesystem>
#include <string>

#include "adapters/directory/source.hpp"
#include "adapters/paths.hpp"
#include "reconciler/desired.hpp"

namespace left4me {

/// Why the source's own revision cannot be used.
enum class Trouble {
    None,
    Invalid,   ///< it was read, but its manifests are wrong
    Vanished,  ///< it could not be read at all, or holds no manifest
};

/// The revision that the host shall follow: the source's own, or the last good one while that cannot be used.
struct InForce {
    Snapshot snapshot;
    ManifestSet set;
    Trouble trouble = Trouble::None;
    std::string error;  ///< what is wrong with the source's own revision, one line an error

    /// With a person's agreement to it, if there is one.
    Desired desired(const Paths& paths) const;
};

struct SourceError {
    Trouble trouble = Trouble::None;
    std::string message;
};

/// Reads the source and falls back to the last good revision. An error only when there is neither.
std::expected<InForce, SourceError> revision_in_force(const Paths& paths,
                                                      const std::filesystem::path& directory,
                                                      const Limits& limits);

/// Remembers a valid revision, whole, as the one to fall back to.
std::expected<void, std::string> keep_last_good(const Paths& paths, const Snapshot& snapshot);
bool has_last_good(const Paths& paths);

/// A person agrees to one revision although it stops or deletes more than half of the running servers.
std::expected<void, std::string> approve(const Paths& paths, const std::string& revision);
bool is_approved(const Paths& paths, const std::string& revision);

}  // namespace left4me
