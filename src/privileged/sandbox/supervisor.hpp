#pragma once

#include <functional>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"
#include "privileged/sandbox/answers.hpp"

namespace left4me::sandbox {

/// Starts `game` behind the system call filter, in the PID namespace of the caller's children, and supervises
/// it until it has exited: forwards signals and answers the calls that the filter hands over. Then exits like
/// the game, with the same exit code or by the same signal, so that systemd sees this process as the game.
/// `game` replaces its process (execve(2)) or returns an exit code.
[[nodiscard]] overlay::Error supervise(const Rules& rules, const std::function<int()>& game);

}  // namespace left4me::sandbox
