#pragma once

#include <string>

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// Prints every server (or the named one), then a line for each that changes, until somebody ends it.
/// `output`: table, wide or json (one object a line).
Result<Exit> watch_servers(Session& session, const std::string& name, const std::string& output);

}  // namespace left4me::ctl
