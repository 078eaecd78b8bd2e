#pragma once

#include <map>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/observed.hpp"

namespace left4me {

/// Servers that are enabled or masked, from the links that `systemctl enable` and `mask` create. Links in
/// /run/systemd/system/*.wants do not count as enabled, because they are gone after a reboot. A mask
/// overrides an enablement.
std::map<std::string, Enablement> read_enablement(const Paths& paths);

}  // namespace left4me
