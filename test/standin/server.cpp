#include "server.hpp"

#include <arpa/inet.h>
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

/// A challenge that the client can only know if our packets reach its address, which is its only purpose.
std::string challenge_for(const sockaddr_in& asker) {
    return little_endian((ntohl(asker.sin_addr.s_addr) * 2654435761U) ^ (asker.sin_port * 40503U) ^
                         static_cast<std::uint32_t>(::getpid()));
}

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

Descriptor::~Descriptor() {
    if (number_ >= 0) ::close(number_);
}

bool Server::open(const std::string& address, int port) {
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(static_cast<std::uint16_t>(port));
    if (::inet_pton(AF_INET, address.c_str(), &where.sin_addr) != 1) where.sin_addr.s_addr = INADDR_ANY;
    udp_ = bound(SOCK_DGRAM, where);
    if (udp_.get() < 0) {
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
    return true;
}

void Server::answer_query() {
    Buffer buffer{};
    sockaddr_in asker{};
    socklen_t length = sizeof asker;
    const auto got = ::recvfrom(udp_.get(), buffer.data(), buffer.size(), 0, generic(asker), &length);
    if (got < 0) return;
    const std::string_view packet(buffer.data(), static_cast<std::size_t>(got));
    if (!packet.starts_with(info_request)) return;
    const auto challenge = challenge_for(asker);
    std::string answer;
    if (packet.substr(info_request.size()) == challenge) {
        Info info;
        info.name = console_.text("hostname", "Left 4 Dead 2");
        info.map = console_.text("map", "c1m1_hotel");
        info.folder = "left4dead2";
        info.game = console_.text("sv_gametypes", "Left 4 Dead 2");
        info.version = "2.2.4.3";
        info.players = static_cast<std::uint8_t>(console_.humans());
        info.bots = static_cast<std::uint8_t>(console_.number("standin_bots"));
        info.max_players = static_cast<std::uint8_t>(console_.number("maxplayers", 4));
        info.password = !console_.text("sv_password").empty();
        info.port = static_cast<std::uint16_t>(port_);
        answer = encode(info);
    } else {
        answer = std::string(challenge_header) + challenge;
    }
    (void)::sendto(udp_.get(), answer.data(), answer.size(), 0, generic(asker), length);
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

/// The game sends each packet by itself, mostly; a network may join and cut them.
void Server::flush(Session& session) {
    const std::string bytes = std::exchange(session.unsent, {});
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
