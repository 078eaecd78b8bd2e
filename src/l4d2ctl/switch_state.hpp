#pragma once

#include <string>

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// Common to `start` and `stop`: they edit the manifest, the only desired state.
struct Switch {
    std::string name;
    std::string description;
    RunState state = RunState::Running;
};

void add_switch(CLI::App& app, Session& session, const Switch& kind);

}  // namespace left4me::ctl
