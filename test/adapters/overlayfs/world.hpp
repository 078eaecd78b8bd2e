#pragma once

#include <string>
#include <vector>

#include "privileged/overlay/overlay.hpp"
#include "support/catch.hpp"

namespace left4me::overlay {

/// A state directory on a tmpfs, in a mount namespace of this test process: whatever happens to the process,
/// the kernel takes everything away again. Needs root, and fails loudly without.
class World {
  public:
    World();
    ~World();
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    OverlaySettings settings;

    std::string path(const std::string& name) const { return settings.state + "/" + name; }
    void directory(const std::string& name) const;
    void file(const std::string& name, const std::string& text) const;
    std::string read(const std::string& name) const;
    bool exists(const std::string& name) const;
    void symlink(const std::string& name, const std::string& target) const;
    void remove(const std::string& name) const;

    /// `instances/SERVER/GENERATION` with this list, made current. The directories of the list are not made.
    void render(const std::string& server, const std::string& digest,
                const std::vector<std::string>& layers) const;
    /// A whole, legitimate stack of that many layers; returns the names of its layers.
    std::vector<std::string> legitimate(const std::string& server, const std::string& digest,
                                        std::size_t count) const;

    /// The lower layers mounted at the server's merged; empty if nothing is mounted there.
    std::vector<std::string> mounted(const std::string& server) const;
    /// How many mounts are stacked there.
    std::size_t mounts(const std::string& server) const;
};

inline constexpr const char* digest_a = "aaaaaaaaaaaaaaaa";
inline constexpr const char* digest_b = "bbbbbbbbbbbbbbbb";

/// Both mount APIs, whatever the kernel supports.
inline MountApi either_mount_api() { return GENERATE(MountApi::Context, MountApi::Options); }

/// The message must contain the words, and the failure must be of this kind.
void check_failed(const Result<>& result, Failure failure, const std::string& words);

}  // namespace left4me::overlay
