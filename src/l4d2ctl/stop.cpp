#include "l4d2ctl/switch_state.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

void add_stop(CLI::App& app, Session& session) {
    add_switch(app, session,
               {.name = "stop",
                .description = "Sets a server's manifest to Stopped, and makes the host follow",
                .state = RunState::Stopped});
}

}  // namespace left4me::ctl
