#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"

namespace left4me::overlay {

/// The main process of a server's unit, and the mount namespace in which it is.
struct Game {
    pid_t pid = 0;
    Fd process;  ///< pidfd
    Fd mounts;   ///< its mount namespace

    /// False once the process has ended, and its pid may be another's.
    bool lives() const;
};

/// Of `left4me-server@NAME.service`; nullopt: it has none, or it ended just now. PID 1 is asked, because only
/// PID 1 knows: pid files are written by those who are not trusted, a process can choose its name, and where
/// the unit's cgroup lies an operator may have changed (Slice=), while anybody with a delegated cgroup can
/// make one that is called like it. The process must be in the cgroup that PID 1 made for the unit.
Result<std::optional<Game>> find_game(const std::string& server);

/// The process with this pid if it lives in that cgroup (a line's path in /proc/PID/cgroup). Its mount
/// namespace must be one of its own, made by root: not the host's, and none that belongs to a user namespace
/// of the game's.
Result<std::optional<Game>> open_game(pid_t pid, const std::string& cgroup);

using FindGame = std::function<Result<std::optional<Game>>(const std::string& server)>;

}  // namespace left4me::overlay
