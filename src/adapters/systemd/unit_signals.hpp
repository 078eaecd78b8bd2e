#pragma once

#include <functional>

#include "adapters/systemd/bus.hpp"

namespace left4me {

/// PID 1 sends signals about units and jobs only while somebody is subscribed, org.freedesktop.systemd1(5).
void subscribe(Bus& bus);

/// Calls `on_change` whenever a unit of ours may have changed: PID 1 says so (a property changed, a job
/// ended, a unit was loaded or forgotten, unit files changed), has reloaded, or has executed itself anew.
/// `path`: the unit's object; empty: any of them. What else the signals say is not looked at: whoever hears
/// one looks at everything again. Errors are the bus's: the caller will meet them again in its next call.
void watch_units(Bus& bus, const std::function<void(const std::string& path)>& on_change);

}  // namespace left4me
