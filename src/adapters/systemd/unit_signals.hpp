#pragma once

#include <functional>
#include <string>

#include "adapters/systemd/bus.hpp"

namespace left4me {

/// PID 1 sends signals about units and jobs only while somebody is subscribed, org.freedesktop.systemd1(5).
void subscribe(Bus& bus);

/// What of what PID 1 last said about our units may no longer be true.
enum class Stale {
    UnitFiles,   ///< links and unit files; no unit's state
    Unit,        ///< the state of one unit
    States,      ///< the states of any units; those that stay active have not been started anew
    Everything,  ///< all of it
};

/// Calls `on_change` whenever a unit of ours may have changed: PID 1 says so (a property changed, a job
/// ended, a unit was loaded or forgotten, unit files changed), has reloaded, or has executed itself anew.
/// `path`: the unit's object, for Stale::Unit. What else the signals say is not looked at: whoever hears
/// one looks again. Errors are the bus's: the caller will meet them again in its next call.
void watch_units(Bus& bus, const std::function<void(Stale stale, const std::string& path)>& on_change);

}  // namespace left4me
