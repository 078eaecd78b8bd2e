#include "l4d2ctl/switch_state.hpp"
#include "l4d2ctl/verbs.hpp"

namespace left4me::ctl {

void add_start(CLI::App& app, Session& session) {
    add_switch(app, session,
               {.name = "start",
                .description = "Sets a server's manifest to Running, and makes the host follow",
                .state = RunState::Running});
}

}  // namespace left4me::ctl
