#pragma once

#include <string>

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// What an operator at three in the morning needs to know about one server: wanted, actual, layers,
/// conditions, what differs. Without the log.
std::string server_page(const View& view, const std::string& name, const UnitDetails& details,
                        const Terminal& terminal);

/// What to do next, one command a line; empty when nothing needs doing.
std::string next_steps(const View& view, const std::string& name, const UnitDetails& details);

}  // namespace left4me::ctl
