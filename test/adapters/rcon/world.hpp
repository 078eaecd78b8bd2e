#pragma once

#include <cstdint>
#include <string>

#include "../../standin/process.hpp"
#include "adapters/rcon/variables.hpp"
#include "reconciler/console.hpp"
#include "support/scratch.hpp"

namespace left4me::rcon::testing {

inline constexpr const char* rendering = "instances/comp1/0123456789abcdef";

/// A game whose console has a password, and a state directory from which left4me knows it.
struct World {
    test::Scratch scratch;
    Paths paths;
    standin::testing::Process process;
    Subject subject;

    explicit World(const std::string& config, const std::string& password = "hunter2") {
        paths.state = scratch.path() / "state";
        paths.run = scratch.path() / "run";
        std::string rendered = console_config("rcon");
        const std::string placeholder = "${secret:rcon}";
        rendered.replace(rendered.find(placeholder), placeholder.size(), password);
        (void)scratch.write(std::string("state/") + rendering + "/layer/left4dead2/cfg/server.cfg", rendered);
        process.write("left4dead2/cfg/server.cfg", "rcon_password hunter2\n" + config);
        process.start();
        subject = {.game = {"comp1", static_cast<std::uint16_t>(process.port()), rendering},
                   .start = 1,
                   .names = {"sv_maxrate", "sv_tags"}};
    }
};

}  // namespace left4me::rcon::testing
