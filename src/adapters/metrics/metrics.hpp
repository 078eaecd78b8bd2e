#pragma once

#include <map>
#include <optional>
#include <string>

#include "adapters/metrics/counters.hpp"
#include "reconciler/players.hpp"
#include "reconciler/status.hpp"

namespace left4me {

/// The state of the host after the last pass.
struct MetricsSnapshot {
    const Desired& desired;
    const Intent& intent;
    const Status& status;
    const Plan& remaining;
    std::string source;  ///< its name, e.g. `/etc/left4me/manifests`
    std::optional<std::chrono::duration<double>> last_pass_took;
    std::map<std::string, ObservedPlayers> players = {};  ///< as players_of() returns them
    std::map<std::string, ObservedTick> ticks = {};       ///< as ticks_of() returns them
};

/// The complete text for Prometheus; docs/metrics.md lists its content. `counters`: the daemon's, or nullptr
/// for a pass without the daemon, which has no counters.
std::string metrics_text(const MetricsSnapshot& snapshot, const Counters* counters);

}  // namespace left4me
