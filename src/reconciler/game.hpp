#pragma once

/// Everything that the core knows about the game.
namespace left4me::game {

/// Files that must exist for the game to count as installed.
inline constexpr const char* executable = "srcds_run";

/// Its number at Steam.
inline constexpr const char* steam_app = "222860";

}  // namespace left4me::game
