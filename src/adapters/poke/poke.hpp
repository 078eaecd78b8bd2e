#pragma once

#include <sys/types.h>

#include <expected>
#include <optional>
#include <string>

#include "adapters/fd.hpp"
#include "adapters/paths.hpp"
#include "adapters/readiness.hpp"

namespace left4me {

enum class Poked {
    Heard,     ///< the daemon will look
    NoDaemon,  ///< nobody listens
    Refused,   ///< the socket is for others
};

/// Asks the daemon to look again, at everything. Carries no data, never blocks. For root, user left4me and
/// the group of PokeSocket::listen().
Poked poke(const Paths& paths);

/// The daemon's end: a datagram socket, run/daemon/poke.
class PokeSocket {
  public:
    /// `group` may write to it, besides its owner; if this process may not give it to that group, only the
    /// owner.
    static std::expected<PokeSocket, std::string> listen(const Paths& paths, std::optional<gid_t> group);

    Readiness readiness() const { return {.fd = socket_.get(), .events = POLLIN, .timeout = {}}; }
    /// Takes all pokes that have come; true if there was one.
    bool drain();

  private:
    explicit PokeSocket(Fd socket) : socket_(std::move(socket)) {}
    Fd socket_;
};

}  // namespace left4me
