#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "reconciler/desired.hpp"

namespace left4me::bench {

/// The desired state of a typical manifest.
inline DesiredServer usual_server(std::string name, std::uint16_t port, std::vector<std::string> overlays) {
    DesiredServer server;
    server.name = std::move(name);
    server.port = port;
    server.blueprint = "versus";
    server.overlays = std::move(overlays);
    server.environment = fmt::format("L4D2_NAME={}\nL4D2_PORT={}\nset -- -tickrate 100 +map c1m1_hotel\n",
                                     server.name, server.port);
    server.config = fmt::format("hostname \"{}\"\n{}\n", server.name, std::string(400, '/'));
    return server;
}

}  // namespace left4me::bench
