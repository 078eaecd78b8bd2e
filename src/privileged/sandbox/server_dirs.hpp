#pragma once

#include <string>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"
#include "privileged/overlay/runtime.hpp"

namespace left4me::sandbox {

using overlay::Owner;
using overlay::Result;

/// The directories of one server: its mounted overlay, and the rendering that it was mounted with.
struct ServerDirs {
    std::string server;
    Fd merged, rendering;
};

/// Opens both as `game`, not as root, so that the sandbox never shows the game what it may not read on the
/// host. Follows no symlink except `rendering`, which root created and which can only lead to one of this
/// server's renderings.
Result<ServerDirs> open_server_dirs(const std::string& state, const std::string& server, Owner game);

}  // namespace left4me::sandbox
