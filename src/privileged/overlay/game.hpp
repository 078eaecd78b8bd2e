#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"

namespace left4me::overlay {

/// The main process of a server's unit, and its mount namespace.
struct Game {
    pid_t pid = 0;
    Fd process;  ///< pidfd
    Fd mounts;   ///< its mount namespace

    /// False once the process has exited; its pid may then belong to another.
    bool lives() const;
};

/// The main process of `left4me-server@NAME.service`; nullopt if there is none, or if it has just exited.
/// Asks PID 1, the only trusted source: untrusted users write pid files and choose process names. Cgroup
/// paths prove nothing either: an operator may have moved the unit's cgroup (Slice=), and anybody with a
/// delegated cgroup can create one of the same name. The process must be in the cgroup that PID 1 created for
/// the unit.
Result<std::optional<Game>> find_game(const std::string& server);

/// The process with this pid, if it is in that cgroup (a path as in /proc/PID/cgroup). It must have its own
/// mount namespace, created by root: not the host's, and not one that belongs to a user namespace of the
/// game's.
Result<std::optional<Game>> open_game(pid_t pid, const std::string& cgroup);

using FindGame = std::function<Result<std::optional<Game>>(const std::string& server)>;

}  // namespace left4me::overlay
