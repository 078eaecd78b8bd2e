#pragma once

#include <optional>
#include <string>

#include "adapters/metrics/counters.hpp"
#include "reconciler/status.hpp"

namespace left4me {

/// How the host stands, as the last pass has left it.
struct Standing {
    const Desired& desired;
    const Intent& intent;
    const Status& status;
    const Plan& remaining;
    std::string source;  ///< what to call it, e.g. `/etc/left4me/manifests`
    std::optional<std::chrono::duration<double>> last_pass_took;
};

/// The whole text that Prometheus reads; docs/metrics.md lists what is in it. `counters`: the daemon's, or
/// nullptr for a pass that stands alone, which has nothing to count from.
std::string metrics_text(const Standing& standing, const Counters* counters);

}  // namespace left4me
