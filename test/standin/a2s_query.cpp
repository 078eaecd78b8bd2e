// a2s_query HOST PORT [SECONDS]: queries a game server with A2S_INFO and prints the answer, one field per
// line. Exit codes: 0 answered, 1 no answer in time, 2 usage.
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "packets.hpp"
#include "server.hpp"

namespace {

std::optional<std::string> ask(int socket, const std::string& request, int milliseconds) {
    if (::send(socket, request.data(), request.size(), 0) < 0) return std::nullopt;
    pollfd polled{socket, POLLIN, 0};
    if (::poll(&polled, 1, milliseconds) != 1) return std::nullopt;
    std::array<char, 1500> buffer{};
    const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got < 0) return std::nullopt;
    return std::string(buffer.data(), static_cast<std::size_t>(got));
}

}  // namespace

int main(int count, char** values) {
    using namespace standin;
    sockaddr_in where{};
    where.sin_family = AF_INET;
    if (count < 3 || ::inet_pton(AF_INET, values[1], &where.sin_addr) != 1) {
        std::fprintf(stderr, "usage: a2s_query ADDRESS PORT [SECONDS]\n");
        return 2;
    }
    where.sin_port = htons(static_cast<std::uint16_t>(std::atoi(values[2])));
    const int milliseconds = count > 3 ? static_cast<int>(std::atof(values[3]) * 1000) : 1000;
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (::connect(socket.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0) return 1;
    auto answer = ask(socket.get(), std::string(info_request), milliseconds);
    for (int tries = 0; tries < 3 && answer && answer->starts_with(challenge_header); ++tries)
        answer = ask(socket.get(), std::string(info_request) + answer->substr(challenge_header.size()),
                     milliseconds);
    const auto info = answer ? decode(*answer) : std::nullopt;
    if (!info) {
        std::fprintf(stderr, "a2s_query: no answer from %s:%s\n", values[1], values[2]);
        return 1;
    }
    std::printf("hostname: %s\nmap: %s\nplayers: %d\nmaxplayers: %d\nport: %d\n", info->name.c_str(),
                info->map.c_str(), info->players, info->max_players, info->port);
    return 0;
}
