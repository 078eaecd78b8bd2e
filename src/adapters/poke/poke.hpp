#pragma once

#include <expected>
#include <string>

#include "adapters/fd.hpp"
#include "adapters/paths.hpp"
#include "adapters/readiness.hpp"

namespace left4me {

/// Asks the daemon to look again, at everything. Carries no data, needs no privilege, never blocks. False
/// when no daemon listens.
bool poke(const Paths& paths);

/// The daemon's end: a datagram socket, run/daemon/poke, that anybody may write to.
class PokeSocket {
  public:
    static std::expected<PokeSocket, std::string> listen(const Paths& paths);

    Readiness readiness() const { return {.fd = socket_.get(), .events = POLLIN, .timeout = {}}; }
    /// Takes all pokes that have come; true if there was one.
    bool drain();

  private:
    explicit PokeSocket(Fd socket) : socket_(std::move(socket)) {}
    Fd socket_;
};

}  // namespace left4me
