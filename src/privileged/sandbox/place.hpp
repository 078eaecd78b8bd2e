#pragma once

#include <string>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"
#include "privileged/overlay/runtime.hpp"

namespace left4me::sandbox {

using overlay::Owner;
using overlay::Result;

/// What is a server's own: its mounted overlay, and the rendering that it was mounted with.
struct Place {
    std::string server;
    Fd merged, rendering;
};

/// Opens both as `game`, not as root: what the game may not read on the host, it is not shown here either.
/// No symlink is followed but `rendering`, which root made and which can only lead to one of this server's
/// renderings.
Result<Place> open_place(const std::string& state, const std::string& server, Owner game);

}  // namespace left4me::sandbox
