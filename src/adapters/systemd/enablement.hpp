#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/paths.hpp"
#include "reconciler/observed.hpp"

namespace left4me {

/// `left4me-server@NAME.service`.
std::string server_unit(std::string_view server);
/// NAME, if the rest fits and NAME is one that a manifest could have; such units alone are ever looked at.
std::optional<std::string> server_of(std::string_view unit);

/// Servers that are enabled or masked, read from the links that `systemctl enable` and `mask` make. Links in
/// /run/systemd/system/*.wants do not count as enabled: they are gone after a reboot. A mask beats an
/// enablement.
std::map<std::string, Enablement> read_enablement(const Paths& paths);

}  // namespace left4me
