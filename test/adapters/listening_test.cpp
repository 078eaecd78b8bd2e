#include "adapters/listening.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <fstream>
#include <random>
#include <sstream>
#include <string>

#include "adapters/fd.hpp"
#include "support/catch.hpp"

using namespace left4me;

namespace {

constexpr const char* table =
    "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref "
    "pointer drops\n"
    " 1201: 00000000:6987 00000000:0000 07 00000000:00000000 00:00000000 00000000   997        0 7001 2 0 0\n"
    " 1202: 0100007F:6988 00000000:0000 07 00000000:00000A80 00:00000000 00000000   997        0 7002 2 0 0\n"
    " 1203: 00000000:6989 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 7003 2 0 0\n"
    " 1204: 0100007F:698A 0100007F:1234 01 00000000:00000000 00:00000000 00000000   997        0 7004 2 0 0\n"
    "99999: 00000000:698B 00000000:0000 07 00000000:00000000 00:00000000 00000000   997        0 7005 2 0 "
    "0\n";

}  // namespace

TEST_CASE("a game's sockets are those of its user that are not connected") {
    const std::uint32_t loopback = INADDR_LOOPBACK;
    const std::map<Listening, std::size_t> expected{
        {{{0, 27015}, 7001}, 0}, {{{loopback, 27016}, 7002}, 0xA80}, {{{0, 27019}, 7005}, 0}};
    if constexpr (std::endian::native == std::endian::little)
        CHECK(listening_sockets(table, 997, 10) == expected);
    CHECK(listening_sockets(table, 996, 10).empty());
    CHECK(listening_sockets(table, 997, 2).size() == 2);
}

TEST_CASE("a table that is cut or garbled is read as far as it makes sense") {
    const std::string whole(table);
    for (std::size_t size = 0; size < whole.size(); ++size)
        CHECK(listening_sockets(whole.substr(0, size), 997, 10).size() <= 3);
    std::minstd_rand random(1);
    for (int i = 0; i < 2000; ++i) {
        std::string changed = whole;
        for (int j = 0; j < 8; ++j) changed[random() % changed.size()] = static_cast<char>(random());
        CHECK(listening_sockets(changed, 997, 10).size() <= 10);
    }
}

TEST_CASE("the kernel's table names a socket that has just been bound") {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const address = reinterpret_cast<sockaddr*>(&own);
    socklen_t length = sizeof own;
    REQUIRE(::bind(socket.get(), address, length) == 0);
    REQUIRE(::getsockname(socket.get(), address, &length) == 0);
    std::ostringstream text;
    text << std::ifstream("/proc/net/udp").rdbuf();
    const Endpoint at{INADDR_LOOPBACK, ntohs(own.sin_port)};
    const auto sockets = listening_sockets(text.str(), ::getuid(), 10'000);
    CHECK(std::any_of(sockets.begin(), sockets.end(), [&](const auto& one) { return one.first.at == at; }));
}
