#pragma once

/// All that the core knows about the game.
namespace left4me::game {

/// Where the game reads its configuration, relative to its installation.
inline constexpr const char* config_path = "left4dead2/cfg/server.cfg";

}  // namespace left4me::game
