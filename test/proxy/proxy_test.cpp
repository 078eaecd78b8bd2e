// A script's way to public addresses, over real sockets. Where it leads from a real sandbox is in
// test/host/tests/test_script_network.py.
#include "proxy/proxy.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "adapters/network.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::proxy;
using namespace std::chrono_literals;

namespace {

/// Whoever reads from it gives up after this time.
void wait_at_most(const Fd& socket, std::chrono::milliseconds time) {
    const timeval value{time.count() / 1000, time.count() % 1000 * 1000};
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &value, sizeof value);
}

struct Listener {
    Fd socket{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    std::uint16_t port = 0;

    Listener() {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof address;
        auto* const generic = reinterpret_cast<sockaddr*>(&address);
        REQUIRE(::bind(socket.get(), generic, size) == 0);
        REQUIRE(::listen(socket.get(), 64) == 0);
        REQUIRE(::getsockname(socket.get(), generic, &size) == 0);
        port = ntohs(address.sin_port);
    }
    Fd accept() const {
        pollfd polled{socket.get(), POLLIN, 0};
        REQUIRE(::poll(&polled, 1, 20'000) == 1);
        Fd far(::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC));
        wait_at_most(far, 20'000ms);
        return far;
    }
};

Fd connect_locally(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    REQUIRE(::connect(socket.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    wait_at_most(socket, 20'000ms);
    return socket;
}

void put(const Fd& socket, std::string_view text) {
    (void)!::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
}

std::string read_all(const Fd& socket) {
    std::string all;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = ::recv(socket.get(), buffer.data(), buffer.size(), 0)) > 0;)
        all.append(buffer.data(), static_cast<std::size_t>(got));
    return all;
}

/// A proxy that runs, and a destination. Loopback counts as public, because nothing else is here, and
/// 127.9.9.9 as what is not.
class Served {
  public:
    explicit Served(const Limits& limits = {}) {
        thread_ = std::thread([this, limits] {
            (void)serve(listener.socket, judge, limits, [this](const std::string& line) {
                const std::lock_guard lock(mutex_);
                lines_.push_back(line);
            });
        });
    }
    ~Served() { stop(); }
    Served(const Served&) = delete;
    Served& operator=(const Served&) = delete;

    void stop() {
        (void)::shutdown(listener.socket.get(), SHUT_RD);
        if (thread_.joinable()) thread_.join();
    }
    /// All that the log has, after the proxy has ended.
    std::string log() {
        stop();
        std::string all;
        for (const std::string& line : lines_) all += line + "\n";
        return all;
    }
    Fd client() const { return connect_locally(listener.port); }
    std::string to_destination() const { return "127.0.0.1:" + std::to_string(destination.port); }

    Listener listener;
    Listener destination;
    Judge judge = [](const sockaddr& address) {
        return address_text(address) == "127.9.9.9" ? std::string("is not public") : std::string();
    };

  private:
    std::mutex mutex_;
    std::vector<std::string> lines_;
    std::thread thread_;
};

std::string first_line(const std::string& text) { return text.substr(0, text.find("\r\n")); }

}  // namespace

TEST_CASE("a client speaks to the destination itself once it is connected", "[proxy]") {
    Served served;
    const Fd client = served.client();
    put(client, "CONNECT " + served.to_destination() + " HTTP/1.1\r\n\r\nearly ");
    const Fd far = served.destination.accept();
    put(client, "late");
    (void)::shutdown(client.get(), SHUT_WR);
    CHECK(read_all(far) == "early late");
    put(far, "answer");
    (void)::shutdown(far.get(), SHUT_RDWR);
    CHECK(read_all(client) == "HTTP/1.1 200 Connection established\r\n\r\nanswer");
    CHECK(served.log() == "127.0.0.1 port " + std::to_string(served.destination.port) +
                              " (127.0.0.1): sent 10 bytes, received 6\n");
}

TEST_CASE("a page is fetched as its site expects it to be asked for", "[proxy]") {
    Served served;
    const Fd client = served.client();
    put(client, "GET http://" + served.to_destination() + "/x HTTP/1.1\r\nHost: y\r\n\r\n");
    const Fd far = served.destination.accept();
    std::array<char, 4096> buffer{};
    const ssize_t got = ::recv(far.get(), buffer.data(), buffer.size(), 0);
    REQUIRE(got > 0);
    CHECK(std::string(buffer.data(), static_cast<std::size_t>(got)) ==
          "GET /x HTTP/1.1\r\nHost: " + served.to_destination() + "\r\nConnection: close\r\n\r\n");
    put(far, "HTTP/1.1 200 OK\r\n\r\nhello");
    (void)::shutdown(far.get(), SHUT_RDWR);
    CHECK(read_all(client) == "HTTP/1.1 200 OK\r\n\r\nhello");
}

TEST_CASE("an address that may not be reached is refused, and the log names it", "[proxy]") {
    Served served;
    const Fd client = served.client();
    put(client, "CONNECT 127.9.9.9:80 HTTP/1.1\r\n\r\n");
    const std::string said = read_all(client);
    CHECK(first_line(said) == "HTTP/1.1 403 Forbidden");
    CHECK_FALSE(said.contains("127.9.9.9"));
    CHECK(served.log() == "refused: 127.9.9.9 port 80: 127.9.9.9 is not public\n");
}

TEST_CASE("what cannot be understood or reached is answered with the reason", "[proxy]") {
    Served served;
    const auto answer = [&served](const std::string& head) {
        const Fd client = served.client();
        put(client, head);
        return first_line(read_all(client));
    };
    CHECK(answer("GET / HTTP/1.1\r\n\r\n") == "HTTP/1.1 400 Bad Request");
    CHECK(answer(std::string(max_head + 100, 'x')).starts_with("HTTP/1.1 400"));
    CHECK(answer("CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n") == "HTTP/1.1 502 Bad Gateway");
}

TEST_CASE("bytes, connections and time are limited", "[proxy]") {
    SECTION("bytes") {
        Limits limits;
        limits.received = 1000;
        Served served(limits);
        const Fd client = served.client();
        put(client, "CONNECT " + served.to_destination() + " HTTP/1.1\r\n\r\n");
        const Fd far = served.destination.accept();
        put(far, std::string(900, 'x'));
        std::this_thread::sleep_for(50ms);
        put(far, std::string(900, 'x'));
        CHECK(read_all(client).size() < 1000);
        CHECK(served.log().contains("the script has moved more bytes than it may"));
    }
    SECTION("connections in all") {
        Limits limits;
        limits.all = 2;
        Served served(limits);
        for (int i = 0; i < 2; ++i) {
            const Fd client = served.client();
            put(client, "x\r\n\r\n");
            CHECK(first_line(read_all(client)) == "HTTP/1.1 400 Bad Request");
        }
        for (int i = 0; i < 2; ++i) CHECK(read_all(served.client()).empty());
        CHECK(served.log() == "refused: the script has made 2 connections; it gets no more\n");
    }
    SECTION("connections at a time") {
        Limits limits;
        limits.connections = 1;
        Served served(limits);
        Fd first = served.client();
        put(first, "CONNECT " + served.to_destination() + " HTTP/1.1\r\n\r\n");
        Fd far = served.destination.accept();
        const Fd second = served.client();
        put(second, "x\r\n\r\n");
        wait_at_most(second, 200ms);
        CHECK(read_all(second).empty());
        first.reset();
        far.reset();
        wait_at_most(second, 20'000ms);
        CHECK(first_line(read_all(second)) == "HTTP/1.1 400 Bad Request");
    }
    SECTION("silence") {
        Limits hasty;
        hasty.head = 1s;
        Served soon(hasty);
        CHECK(read_all(soon.client()).empty());
        Limits limits;
        limits.silence = 1s;
        Served served(limits);
        const Fd client = served.client();
        put(client, "CONNECT " + served.to_destination() + " HTTP/1.1\r\n\r\n");
        const Fd far = served.destination.accept();
        CHECK(first_line(read_all(client)) == "HTTP/1.1 200 Connection established");
        CHECK(served.log().contains("neither side has said anything for too long"));
    }
}

TEST_CASE("a script may reach public addresses alone, and none of this host's", "[proxy]") {
    const auto why = [](const std::string& text) {
        sockaddr_storage storage{};
        auto* const six = reinterpret_cast<sockaddr_in6*>(&storage);
        auto* const four = reinterpret_cast<sockaddr_in*>(&storage);
        storage.ss_family = text.contains(':') ? AF_INET6 : AF_INET;
        void* const place = text.contains(':') ? static_cast<void*>(&six->sin6_addr) : &four->sin_addr;
        REQUIRE(::inet_pton(storage.ss_family, text.c_str(), place) == 1);
        return judge_public(reinterpret_cast<const sockaddr&>(storage));
    };
    CHECK(why("8.8.8.8").empty());
    CHECK(why("2a00::1").empty());
    CHECK(why("::ffff:8.8.8.8").empty());
    for (const char* address : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "fd00::1", "fe80::1",
                                "::ffff:127.0.0.1", "64:ff9b::7f00:1", "0.0.0.0", "::"}) {
        INFO(address);
        CHECK(why(address) == "is not public");
    }
    sockaddr_in loopback{};
    loopback.sin_family = AF_INET;
    loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(is_of_this_host(reinterpret_cast<sockaddr&>(loopback)) == true);
    loopback.sin_addr.s_addr = htonl(0x08080808);
    CHECK(is_of_this_host(reinterpret_cast<sockaddr&>(loopback)) == false);
}
