#pragma once

#include <string>

#include "privileged/sandbox/server_dirs.hpp"

namespace left4me::sandbox {

/// A /proc that is not mounted anywhere, in which processes have the pids that the caller sees.
Result<Fd> open_processes();

/// Moves the process into a mount namespace of its own that still follows the host's mounts, and its children
/// into a PID namespace. The first child becomes that namespace's init.
Result<> leave_the_host();

/// Builds the directory tree that a game sees, moves into it, and detaches everything else. The tree contains
/// the system's programs and settings, `dirs`, and its own /tmp, /dev and /proc.
Result<> enter_root(const std::string& state, const ServerDirs& dirs);

}  // namespace left4me::sandbox
