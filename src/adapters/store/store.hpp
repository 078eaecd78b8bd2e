#pragma once

#include <chrono>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "adapters/paths.hpp"
#include "adapters/readiness.hpp"
#include "reconciler/observed.hpp"
#include "reconciler/reason.hpp"
#include "reconciler/rollback.hpp"
#include "reconciler/target.hpp"

namespace left4me {

namespace store {
struct CheckRequest;
class DigestCache;
class ExecutedConfigs;
class SourceReader;
}  // namespace store

/// Artifacts of overlays and renderings of servers beneath the state directory: content-addressed (the first
/// 16 hex digits of a SHA-256), built next to their place and renamed into it, never edited in place. Files
/// are group-writable if the game must be able to copy them up; directories are set-group-ID (tmpfiles.d), so
/// everything belongs to the group of the game's user.
class Store {
  public:
    /// `timeout`: how long observe() may wait for the sources of overlays; nullopt: until all are read.
    explicit Store(Paths paths, std::optional<std::chrono::milliseconds> timeout = {});
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    /// Of directories only metadata is read. Secrets are read anew each time.
    Inputs read_inputs(const Desired& desired, const Rollbacks& rollbacks = {});
    /// When read_inputs() would find more than the last time: a source has been read meanwhile.
    Readiness readiness() const;
    /// Whether it would.
    bool drain();

    /// Fills in `artifacts`, `built`, `installation`, and for each server `managed`, `current`, `damaged`,
    /// `runtime`; for servers in observed.servers with a stack() also mounted_port, mounted_environment and
    /// console_rendering.
    void observe(const Target& target, Observed& observed);

    using Done = std::expected<void, Error>;

    /// How far these builds are.
    void read_progress(std::map<std::string, ObservedBuild>& builds) const;

    /// Writes the overlay's files into `overlays/NAME/generation`. Written already: done.
    Done build(const std::string& overlay, const InlineSource& source, const std::string& digest);

    /// Says what left4me-build@NAME.service is to build when it is started.
    Done request_build(const std::string& overlay, const OverlaySource& source);
    /// Says what that unit is to find out when it is started the next time, instead of building anything.
    Done request_check(const std::string& overlay, const store::CheckRequest& request);
    /// Says that this input is not to be built, before the unit is stopped.
    Done cancel_build(const std::string& overlay, const std::string& input);

    /// Writes (or repairs, file by file) `instances/NAME/DIGEST` and points `current` at it.
    Done render(const TargetRendering& target);
    /// Points `current` at another rendering that is there.
    Done revert(const std::string& server, const std::string& digest);

    /// Makes everything built and rendered so far durable; one call per batch.
    Done sync();

    Done unmanage(const std::string& server);
    /// `path` is relative to the state directory, as in Observed::artifacts.
    Done prune(const std::string& path);

  private:
    /// Of the overlays whose server.cfg some server runs.
    void read_configs(const Desired& desired, Inputs& inputs);

    Paths paths_;
    std::unique_ptr<store::DigestCache> digests_;
    std::unique_ptr<store::ExecutedConfigs> configs_;
    std::unique_ptr<store::SourceReader> sources_;
};

}  // namespace left4me
