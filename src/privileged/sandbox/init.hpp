#pragma once

namespace left4me::sandbox {

/// What the supervisor writes to `orders`, a byte each: a signal's number, for every process of the game; or
/// this: the game's main process has ended, so what it left behind is told to end too, or killed after ten
/// seconds.
constexpr unsigned char game_has_ended = 0xff;

/// Process 1 of the game's PID namespace. It takes on orphans, and ends when the supervisor has ended, even
/// when that was killed; with it the kernel ends everything in the namespace (pid_namespaces(7)). It is not
/// the game itself: process 1 does not die of signals that it has no handler for, and a game must crash when
/// it crashes.
[[noreturn]] void be_init(int orders);

}  // namespace left4me::sandbox
