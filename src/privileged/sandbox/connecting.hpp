#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <set>

#include "adapters/fd.hpp"

namespace left4me::sandbox {

/// A duplicate of socket `descriptor` of the process that thread `caller` belongs to, or an errno.
/// `processes` is a /proc.
std::expected<Fd, int> take_socket(int processes, pid_t caller, int descriptor);

/// Whether take_socket() works on this host: some containers forbid pidfd_getfd(2).
bool can_take_sockets();

/// Whether this is a TCP port of this host, under any of its addresses, that is not in `ports`.
bool is_closed(const sockaddr_storage& to, const std::set<std::uint16_t>& ports);

/// Whether connecting reaches a program that accepts connections. Not so for UDP: a UDP port that answers at
/// all answers the whole network.
bool makes_connections(const Fd& socket);

/// connect(2). A relative socket path is resolved in `caller`'s working directory. Returns the errno, or 0.
int connect_from(int processes, pid_t caller, const Fd& socket, const sockaddr_storage& to, socklen_t size);

}  // namespace left4me::sandbox
