#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <expected>
#include <filesystem>
#include <functional>
#include <string>

namespace left4me::share {

struct Settings {
    std::filesystem::path overlays = "/var/lib/left4me/overlays";
    uid_t builder = 0;  ///< whose files are sealed: left4me
    uid_t owner = 0;    ///< of a sealed file: the game's user, who writes to a copy of it
    gid_t group = 0;    ///< of a sealed file: left4me, who reads it
    /// Called before the next step, which takes so long at most.
    std::function<void(std::chrono::seconds)> takes = [](std::chrono::seconds) {};
};

/// What the files of an artifact take, and how much of it is stored once with other artifacts.
struct Sharing {
    std::uint64_t files = 0;
    std::uint64_t shared_files = 0;
    std::uint64_t shared_bytes = 0;  ///< of data; holes do not count
};

/// Seals the artifact that the overlay's last build has just published, and lets its files share their
/// storage with equal ones of all other sealed artifacts: the file system shares the blocks if it can
/// (ioctl_fideduperange(2)), else both become one file with two names.
///
/// A sealed file belongs to the game's user and has the group of whoever builds: no build may write to it
/// again, so none can change what another overlay has of it. Contents are compared byte by byte first, so no
/// file of either ever changes; each is replaced by one rename. Whatever goes wrong with a file, it keeps its
/// own storage.
///
/// Nobody who could still have a file of the artifact open for writing may be left: see alone.hpp.
/// An error: there is nothing to seal, or it cannot be reached.
std::expected<Sharing, std::string> share_artifact(const Settings& settings, const std::string& overlay);

}  // namespace left4me::share
