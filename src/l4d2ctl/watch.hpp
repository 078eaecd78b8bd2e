#pragma once

#include <string>
#include <vector>

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// Prints every server (or the named ones, or those with the labels), then a line for each that changes,
/// until interrupted. `output`: table, wide or json (one object per line).
Result<Exit> watch_servers(Session& session, const std::vector<std::string>& names,
                           const std::string& selector, const std::string& output);

}  // namespace left4me::ctl
