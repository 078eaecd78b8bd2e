#pragma once

#include <string>

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// What `start` and `stop` have in common: there is one desired state, in the manifest, whoever writes it.
struct Switch {
    std::string name;
    std::string description;
    RunState state = RunState::Running;
};

void add_switch(CLI::App& app, Session& session, const Switch& kind);

}  // namespace left4me::ctl
