#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "adapters/fd.hpp"
#include "adapters/rcon/conversation.hpp"
#include "adapters/readiness.hpp"

namespace left4me::rcon {

/// A connection to a game's console on the loopback address. Never blocks. Whoever opens it has made sure
/// that it is the game who listens there: the password is sent to whoever accepts.
class Session {
  public:
    using Clock = std::chrono::steady_clock;

    Session(std::uint16_t port, const std::string& password);
    Session(Session&&) = default;
    Session& operator=(Session&&) = default;
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session();

    /// Conversation::execute(). Without a whole answer within `timeout` it fails as Silent, for good.
    void execute(std::string command, std::chrono::milliseconds timeout);
    /// Sends and receives what is possible now. The answer to the latest command; nullopt: not yet.
    std::optional<Answer> advance();
    /// When advance() should be called again.
    Readiness readiness() const;

  private:
    void send();
    void receive();
    void fail(Failure failure);

    Fd socket_;
    unsigned instance_;
    Conversation conversation_;
    std::string unsent_;
    bool is_connected_ = false;
    std::optional<Failure> failed_;
    Clock::time_point until_{};
};

/// Waits for it.
Answer ask(Session& session, std::string command, std::chrono::milliseconds timeout);

}  // namespace left4me::rcon
