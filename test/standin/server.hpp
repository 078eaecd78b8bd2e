#pragma once

#include <list>
#include <optional>
#include <string>

#include "console.hpp"
#include "descriptor.hpp"
#include "packets.hpp"
#include "queries.hpp"

namespace standin {

/// The sockets of one running game: queries on UDP, the remote console on TCP, both on the same port.
class Server {
  public:
    explicit Server(Console& console) : console_(console) {}

    /// False if the port is taken, after the same message as the game's.
    bool open(const std::string& address, int port);
    int port() const { return port_; }

    Queries& queries() { return *queries_; }
    int listener() const { return tcp_.get(); }
    void accept_console();

    struct Session {
        Descriptor socket;
        std::string buffer;
        std::string unsent;
        bool allowed = false;
    };
    std::list<Session>& sessions() { return sessions_; }
    /// False if the session is over.
    bool serve(Session& session);

  private:
    bool serve(Session& session, const Rcon& packet);
    void flush(Session& session);
    void reply(Session& session, std::int32_t id, std::int32_t type, const std::string& body);

    Console& console_;
    std::optional<Queries> queries_;
    Descriptor tcp_;
    std::list<Session> sessions_;
    int port_ = 0;
};

}  // namespace standin
