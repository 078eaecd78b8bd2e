#pragma once

/// Everything that the core knows about the game.
namespace left4me::game {

/// Where the game reads its configuration, relative to its installation.
inline constexpr const char* config_path = "left4dead2/cfg/server.cfg";

/// Files that must exist for the game to count as installed.
inline constexpr const char* executable = "srcds_run";

}  // namespace left4me::game
