#pragma once

#include <cstddef>
#include <string_view>

#include "adapters/store/files.hpp"
#include "specs/manifest.hpp"

/// `overlays/NAME/.build/script`: all that left4me-script@NAME.service and left4me-build@NAME.service share.
/// The script's unit sees it read-only, as /run/left4me-script; nobody else may enter the directory above it.
namespace left4me::store::script_room {

inline constexpr const char* directory = "script";
inline constexpr const char* text = "run";       ///< the script
inline constexpr const char* limits = "limits";  ///< lines of a word and a number
/// The network namespace of the build, which is the host's: the script's must be another one.
inline constexpr const char* network = "network";
/// Is there if the script may reach public addresses; left4me-proxy@NAME.socket starts only then.
inline constexpr const char* is_public = "public";
inline constexpr const char* output = "output";  ///< FIFO: a tar archive of what the script left
inline constexpr const char* result = "result";  ///< FIFO: lines that say how it goes

}  // namespace left4me::store::script_room

namespace left4me::store {

/// The most characters in the name of an overlay that a script makes: in the unit, it is part of a user's
/// name, and systemd takes no more than 31 there.
inline constexpr std::size_t max_script_name = 31 - std::string_view("l4s-").size();

/// Makes the room in `.build`, which `parent` is open at. It is new each time: a sandbox that still ends has
/// the FIFOs of before.
Done make_script_room(int parent, const ScriptSource& source);

}  // namespace left4me::store
