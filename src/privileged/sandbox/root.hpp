#pragma once

#include <string>

#include "privileged/sandbox/place.hpp"

namespace left4me::sandbox {

/// A /proc that is mounted nowhere, in which processes have the numbers that they have for the caller.
Result<Fd> open_processes();

/// Takes the process out of the host's mounts into a namespace of its own that still follows them, and its
/// children into a PID namespace. The first child is that namespace's init.
Result<> leave_the_host();

/// Makes the directory tree that a game sees, moves into it, and lets go of everything else: the system's
/// programs and settings, `place`, and a /tmp, /dev and /proc of its own.
Result<> enter_root(const std::string& state, const Place& place);

}  // namespace left4me::sandbox
