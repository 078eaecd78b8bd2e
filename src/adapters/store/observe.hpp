#pragma once

#include <map>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/paths.hpp"
#include "adapters/store/digest_cache.hpp"
#include "adapters/store/secrets.hpp"
#include "adapters/store/source_reader.hpp"
#include "reconciler/desired.hpp"
#include "reconciler/observed.hpp"

namespace left4me::store {

/// One look at everything beneath the state directory: Store::observe().
class Observer {
  public:
    Observer(const Paths& paths, DigestCache& digests, SourceReader& sources, const Desired& desired,
             Observed& observed);
    void run();

  private:
    void overlays();
    void generations_of_overlays();
    void runtimes();
    void instances();
    void instance(int place, const std::string& name);
    /// What lies in `instances/NAME`; false if that is no directory.
    bool renderings(int place, const std::string& name, std::optional<std::string>& current);
    void started_with(int place, const std::string& name, ObservedServer& server) const;
    void want(int place, const DesiredServer& desired, ObservedServer& server);
    std::expected<std::vector<std::string>, std::string> lower_layers(const DesiredServer& server) const;

    const Paths& paths_;
    DigestCache& digests_;
    SourceReader& sources_;
    const Desired& desired_;
    Observed& observed_;
    Secrets secrets_;
    Fd state_;
};

}  // namespace left4me::store
