#pragma once

#include <sys/socket.h>
#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <set>

#include "adapters/fd.hpp"

namespace left4me::sandbox {

/// The same socket as `descriptor` of the process that thread `caller` belongs to; or an errno.
/// `processes` is a /proc.
std::expected<Fd, int> take_socket(int processes, pid_t caller, int descriptor);

/// Whether take_socket() works on this host: some containers forbid pidfd_getfd(2).
bool can_take_sockets();

/// Whether this is a port of this host, whichever of the host's addresses is named, that is not among
/// `ports`.
bool is_closed(const sockaddr_storage& to, const std::set<std::uint16_t>& ports);

/// Whether connecting leads to a program that waits for connections: not so for UDP, where what answers at
/// all answers the network, too.
bool makes_connections(const Fd& socket);

/// connect(2), with a relative name of a socket read from `caller`'s working directory. The errno, or 0.
int connect_from(int processes, pid_t caller, const Fd& socket, const sockaddr_storage& to, socklen_t size);

}  // namespace left4me::sandbox
