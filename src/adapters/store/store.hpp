#pragma once

#include <expected>
#include <memory>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/desired.hpp"
#include "reconciler/observed.hpp"

namespace left4me {

namespace store {
class DigestCache;
}

/// Generations of overlays and renderings of servers beneath the state directory: content-addressed (the
/// first 16 hex digits of a SHA-256), built beside their place and renamed into it, never edited in place.
/// Files are made group-writable where the game must copy them up; directories are set-group-ID (tmpfiles.d),
/// so that everything belongs to the group of the game's user.
class Store {
  public:
    explicit Store(Paths paths);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Fills in `overlays`, `generations`, `installation`, and of each server `ours`, `wanted`, `current`,
    /// `damaged`, `runtime`; for servers in observed.servers with a stack() also mounted_port and
    /// mounted_environment. Directory sources are hashed once and remembered by the metadata of their files
    /// (state/digests).
    void observe(const Desired& desired, Observed& observed);

    using Done = std::expected<void, std::string>;

    /// Copies the overlay's source into `overlays/NAME/generation`. An error that begins with
    /// "SourceChanged: " when the source no longer has that content: look again. Built already: done.
    Done build(const std::string& overlay, const OverlaySource& source, const std::string& generation);

    /// Writes (or repairs, file by file) `instances/NAME/generation` and points `current` at it.
    Done render(const DesiredServer& server, const WantedRendering& wanted);

    /// Everything built and rendered so far survives a power cut; one call a batch.
    Done sync();

    Done forget(const std::string& server);
    /// `path` is relative to the state directory, as in Observed::generations.
    Done collect(const std::string& path);

  private:
    Paths paths_;
    std::unique_ptr<store::DigestCache> digests_;
};

}  // namespace left4me
