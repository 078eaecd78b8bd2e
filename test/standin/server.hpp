#pragma once

#include <netinet/in.h>

#include <list>
#include <string>

#include "console.hpp"
#include "packets.hpp"

namespace standin {

/// An owned file descriptor.
class Descriptor {
  public:
    explicit Descriptor(int number = -1) : number_(number) {}
    Descriptor(Descriptor&& other) noexcept : number_(other.number_) { other.number_ = -1; }
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(number_, other.number_);
        return *this;
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor();
    int get() const { return number_; }

  private:
    int number_;
};

/// The sockets of one running game: queries on UDP, the remote console on TCP, both on the same port.
class Server {
  public:
    explicit Server(Console& console) : console_(console) {}

    /// False if the port is taken, after the same message as the game's.
    bool open(const std::string& address, int port);
    int port() const { return port_; }

    int queries() const { return udp_.get(); }
    int listener() const { return tcp_.get(); }
    void answer_query();
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
    Descriptor udp_, tcp_;
    std::list<Session> sessions_;
    int port_ = 0;
};

}  // namespace standin
