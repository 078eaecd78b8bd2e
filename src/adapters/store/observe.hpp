#pragma once

#include <map>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/paths.hpp"
#include "adapters/store/digest_cache.hpp"
#include "adapters/store/secrets.hpp"
#include "reconciler/desired.hpp"
#include "reconciler/observed.hpp"

namespace left4me::store {

/// One look at everything beneath the state directory: Store::observe().
class Observer {
  public:
    Observer(const Paths& paths, DigestCache& digests, const Desired& desired, Observed& observed);
    void run();

  private:
    void overlays();
    void generations_of_overlays();
    void runtimes();
    void instances();
    void instance(const std::string& name, int directory);
    void want(const DesiredServer& desired, int instance, ObservedServer& server);
    std::expected<std::vector<std::string>, std::string> lower_layers(const DesiredServer& server) const;

    const Paths& paths_;
    DigestCache& digests_;
    const Desired& desired_;
    Observed& observed_;
    Secrets secrets_;
    Fd state_;
};

}  // namespace left4me::store
