#pragma once

#include "adapters/store/files.hpp"
#include "specs/manifest.hpp"

/// `overlays/NAME/.build/steam`: all that left4me-install@NAME.service, in which steamcmd runs, and
/// left4me-build@NAME.service share. The first sees nothing else of left4me.
namespace left4me::store::steam_room {

inline constexpr const char* directory = "steam";
inline constexpr const char* program = "program";    ///< the path of steamcmd
inline constexpr const char* commands = "commands";  ///< FIFO: lines of a token and steamcmd's arguments
inline constexpr const char* output = "output";      ///< FIFO: what it prints, and how it ended
inline constexpr const char* lock = "lock";          ///< is held for as long as it runs
inline constexpr const char* home = "home";          ///< its own files; kept
inline constexpr const char* game = "game";          ///< what it installs, until it is whole
/// What it needs to know the next time about what it has installed.
inline constexpr const char* known = "steamapps";
inline constexpr const char* known_of = "steamapps-of";  ///< the digest of that artifact

}  // namespace left4me::store::steam_room

namespace left4me::store {

/// Makes the room in `.build`, which `parent` is open at, or what is missing in it; for another kind of
/// source removes it. A build may be under way in it.
Done settle_steam_room(int parent, const OverlaySource& source);

}  // namespace left4me::store
