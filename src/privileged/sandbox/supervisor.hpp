#pragma once

#include <functional>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"
#include "privileged/sandbox/answers.hpp"

namespace left4me::sandbox {

/// Starts `game` in the PID namespace that the caller's children are in, behind the filter of system calls,
/// and looks after it until it has ended: passes signals on, answers what the filter asks. Then ends as the
/// game ended, with the same exit code or by the same signal; so for systemd this process is the game. `game`
/// replaces its process (execve(2)) or returns an exit code.
[[nodiscard]] overlay::Error supervise(const Rules& rules, const std::function<int()>& game);

}  // namespace left4me::sandbox
