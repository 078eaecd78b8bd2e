#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <vector>

#include "privileged/sandbox/server_dirs.hpp"

namespace left4me::sandbox {

/// Who creates the sockets of socket(2). The supervisor always creates those of socketcall(2).
enum class Sockets : std::uint8_t {
    Kernel,
    Supervisor,  ///< those of AF_INET and AF_INET6
};

/// One seccomp program for both ABIs that a game uses, x86_64 and i386. Other ABIs kill the process.
std::vector<sock_filter> filter_program(Sockets sockets);

/// Permanently forbids everything except `known_calls()`. The calls that the filter hands over are answered
/// through the returned descriptor (seccomp_unotify(2)); if nobody reads it, they fail with ENOSYS.
Result<Fd> forbid_calls(Sockets sockets);

}  // namespace left4me::sandbox
