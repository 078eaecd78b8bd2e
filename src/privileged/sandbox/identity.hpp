#pragma once

#include "privileged/sandbox/server_dirs.hpp"

namespace left4me::sandbox {

/// Drops root's supplementary groups, but stays root.
Result<> take_groups(Owner game);

/// Permanently becomes the game's user, in its own user namespace, which protects the other servers'
/// processes although they run as the same user. Keeps no capability inside or outside, and no way to gain
/// one.
Result<> become(Owner game);

/// Blocks signals and abstract sockets to processes outside of this server, if the kernel supports it.
void stay_among_own();

}  // namespace left4me::sandbox
