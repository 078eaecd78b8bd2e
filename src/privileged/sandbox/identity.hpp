#pragma once

#include "privileged/sandbox/place.hpp"

namespace left4me::sandbox {

/// Gives the groups of root away; being root stays.
Result<> take_groups(Owner game);

/// Becomes the game's user for good: in a user namespace of its own, which keeps it out of the other servers'
/// processes though they run as the same user; without any capability there or here, and without a way to get
/// one.
Result<> become(Owner game);

/// Takes signals and abstract sockets to processes outside of this server away, where the kernel can.
void stay_among_own();

}  // namespace left4me::sandbox
