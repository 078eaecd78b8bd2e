#pragma once

#include <string>

#include "privileged/sandbox/place.hpp"

namespace left4me::sandbox {

/// Takes the process out of the host's mounts into a namespace of its own that still follows them.
Result<> leave_the_hosts_mounts();

/// Makes the directory tree that a game sees, moves into it, and lets go of everything else: the system's
/// programs and settings, `place`, and a /tmp, /dev and /proc of its own.
Result<> enter_root(const std::string& state, const Place& place);

}  // namespace left4me::sandbox
