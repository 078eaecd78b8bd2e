#pragma once

#include <string>

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// Everything that an operator needs to know about one server at three in the morning: desired and actual
/// state, layers, conditions, differences. Without the log.
std::string server_page(const View& view, const std::string& name, const UnitDetails& details,
                        const Terminal& terminal);

/// What to do next, one command per line; empty if nothing needs doing.
std::string next_steps(const View& view, const std::string& name, const UnitDetails& details);

}  // namespace left4me::ctl
