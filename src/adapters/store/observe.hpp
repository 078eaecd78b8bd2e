#pragma once

#include <optional>
#include <string>

#include "adapters/fd.hpp"
#include "adapters/paths.hpp"
#include "adapters/store/digest_cache.hpp"
#include "reconciler/observed.hpp"
#include "reconciler/target.hpp"

namespace left4me::store {

/// One observation of everything beneath the state directory: Store::observe().
class Observer {
  public:
    Observer(const Paths& paths, DigestCache& digests, const Target& target, Observed& observed);
    void run();

  private:
    void read_artifacts();
    void runtimes();
    void instances();
    void instance(int place, const std::string& name);
    /// The content of `instances/NAME`; false if it is not a directory.
    bool renderings(int place, const std::string& name, std::optional<std::string>& current);
    void earlier_renderings(int place, const TargetServer& target, ObservedServer& server) const;
    void started_with(int place, const std::string& name, ObservedServer& server) const;
    /// Compares the target's rendering with the files on disk.
    void compare(int place, const TargetServer& target, ObservedServer& server);

    DigestCache& digests_;
    const Target& target_;
    Observed& observed_;
    Fd state_;
};

}  // namespace left4me::store
