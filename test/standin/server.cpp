#include "server.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <utility>

#include "packets.hpp"

namespace standin {
namespace {

using Buffer = std::array<char, 4200>;

sockaddr* generic(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

Descriptor bound(int type, const sockaddr_in& address) {
    Descriptor made(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    auto copy = address;
    const int yes = 1;
    if (type == SOCK_STREAM) ::setsockopt(made.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (made.get() < 0 || ::bind(made.get(), generic(copy), sizeof copy) != 0) return Descriptor{};
    return made;
}

constexpr std::size_t max_sessions = 32;

/// Of one packet; longer answers are sent in several.
constexpr std::size_t largest_body = 4086;

}  // namespace

bool Server::open(const std::string& address, int port) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) where.sin_addr.s_addr = INADDR_ANY;
    Descriptor udp = bound(SOCK_DGRAM, where);
    if (udp.get() < 0) {
        std::printf("WARNING: UDP_OpenSocket: port: %d  bind: %s\n", port,
                    errno == EADDRINUSE ? "WSAEADDRINUSE" : "WSAEACCES");
        return false;
    }
    tcp_ = bound(SOCK_STREAM, where);
    if (tcp_.get() < 0 || ::listen(tcp_.get(), 16) != 0) {
        std::printf("WARNING: NET_ListenSocket bind failed on socket %d, port %d.\n", tcp_.get(), port);
        return false;
    }
    port_ = port;
    queries_.emplace(console_, std::move(udp), port);
    return true;
}

void Server::accept_console() {
    Descriptor accepted(::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (accepted.get() >= 0 && sessions_.size() < max_sessions)
        sessions_.push_back({std::move(accepted), {}, {}, false});
}

void Server::reply(Session& session, std::int32_t id, std::int32_t type, const std::string& body) {
    std::string_view rest = body;
    do {  // an empty answer is a packet, too
        session.unsent += encode(Rcon{id, type, std::string(rest.substr(0, largest_body))});
        rest.remove_prefix(std::min(rest.size(), largest_body));
    } while (!rest.empty());
    if (console_.text("standin_segments") != "joined") flush(session);
}

/// The game sends each packet by itself, mostly; a network may join and cut them. Some clients cannot read
/// what is joined, so `apart` leaves them the time to read one after the other.
void Server::flush(Session& session) {
    constexpr unsigned pause = 100'000;
    const std::string bytes = std::exchange(session.unsent, {});
    if (!bytes.empty() && console_.text("standin_segments") == "apart") ::usleep(pause);
    const std::size_t step = console_.text("standin_segments") == "bytes" ? 1 : bytes.size();
    for (std::size_t at = 0; at < bytes.size(); at += step)
        (void)::send(session.socket.get(), bytes.data() + at, std::min(step, bytes.size() - at),
                     MSG_NOSIGNAL);
}

bool Server::serve(Session& session) {
    Buffer buffer{};
    const auto got = ::recv(session.socket.get(), buffer.data(), buffer.size(), 0);
    if (got <= 0) return false;
    session.buffer.append(buffer.data(), static_cast<std::size_t>(got));
    bool broken = false;
    bool goes_on = true;
    while (goes_on) {
        const auto packet = take(session.buffer, broken);
        if (!packet) break;
        goes_on = serve(session, *packet);
    }
    flush(session);
    return goes_on && !broken;
}

bool Server::serve(Session& session, const Rcon& packet) {
    if (packet.type == Rcon::auth) {
        const auto password = console_.text("rcon_password");
        session.allowed = !password.empty() && packet.body == password;
        if (!session.allowed) std::printf("rcon from \"127.0.0.1\": bad rcon_password\n");
        reply(session, packet.id, Rcon::response, "");
        reply(session, session.allowed ? packet.id : -1, Rcon::auth_response, "");
        return session.allowed;
    }
    if (!session.allowed) {
        reply(session, -1, Rcon::auth_response, "");
        return false;
    }
    if (packet.type == Rcon::execute) {
        std::printf("rcon from \"127.0.0.1\": command \"%s\"\n", packet.body.c_str());
        reply(session, packet.id, Rcon::response, console_.execute(packet.body));
        return true;
    }
    // The client's end marker: mirrored, then followed by the game's extra packet.
    reply(session, packet.id, Rcon::response, "");
    reply(session, packet.id, Rcon::response, std::string("\0\1\0\0", 4));
    return true;
}

}  // namespace standin
