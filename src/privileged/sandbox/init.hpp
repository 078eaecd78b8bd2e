#pragma once

namespace left4me::sandbox {

/// The supervisor writes one byte per order: a signal number to send to every process of the game, or this
/// value. It means that the game's main process has exited: the remaining processes are told to stop, and
/// killed after ten seconds.
constexpr unsigned char game_has_ended = 0xff;

/// Process 1 of the game's PID namespace. It adopts orphans, and exits when the supervisor has exited, even
/// if it was killed; the kernel then kills everything in the namespace (pid_namespaces(7)). It is not the
/// game itself, because process 1 does not die of signals that it has no handler for: a game that crashes
/// must exit.
[[noreturn]] void be_init(int orders);

}  // namespace left4me::sandbox
