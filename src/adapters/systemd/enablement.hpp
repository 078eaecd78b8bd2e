#pragma once

#include <map>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/observed.hpp"

namespace left4me {

/// Servers that are enabled or masked, read from the links that `systemctl enable` and `mask` make. Links in
/// /run/systemd/system/*.wants do not count as enabled: they are gone after a reboot. A mask beats an
/// enablement.
std::map<std::string, Enablement> read_enablement(const Paths& paths);

}  // namespace left4me
