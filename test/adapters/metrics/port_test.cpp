#include "adapters/metrics/port.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <chrono>
#include <thread>

#include "adapters/fd.hpp"
#include "support/catch.hpp"

using namespace left4me;

namespace {

/// A port served by a separate thread for the duration of the test.
class Served {
  public:
    Served()
        : port_(MetricsPort::open(io_, 0,
                                  [this] { return "left4me_asked " + std::to_string(++asked_) + "\n"; })) {
        REQUIRE(port_);
        thread_ = std::thread([this] { io_.run(); });
    }
    Served(const Served&) = delete;
    Served& operator=(const Served&) = delete;
    ~Served() {
        io_.stop();
        thread_.join();
    }

    Fd connect(in_addr_t address = INADDR_LOOPBACK) const {
        Fd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        const timeval timeout{60, 0};
        (void)::setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
        sockaddr_in place{};
        place.sin_family = AF_INET;
        place.sin_port = htons((*port_)->port());
        place.sin_addr.s_addr = htonl(address);
        if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&place), sizeof(place)) != 0)
            client.reset();
        return client;
    }

    /// Everything that the port sends until it disconnects.
    std::string ask(const std::string& request) const {
        const Fd client = connect();
        REQUIRE(client);
        (void)::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL);
        return read_all(client);
    }

    static std::string read_all(const Fd& client) {
        std::string answer;
        std::array<char, 4096> buffer{};
        for (ssize_t got = 0; (got = ::recv(client.get(), buffer.data(), buffer.size(), 0)) > 0;)
            answer.append(buffer.data(), static_cast<std::size_t>(got));
        return answer;
    }

    /// A request of a modern client: with a Host header that names the port.
    std::string get(const std::string& target, const std::string& name = "localhost") const {
        return ask("GET " + target + " HTTP/1.1\r\nHost: " + name + ":" + std::to_string(port()) +
                   "\r\n\r\n");
    }

    std::uint16_t port() const { return (*port_)->port(); }

  private:
    boost::asio::io_context io_{1};
    int asked_ = 0;
    std::expected<std::unique_ptr<MetricsPort>, std::string> port_;
    std::thread thread_;
};

}  // namespace

TEST_CASE("GET /metrics returns the current text, in the format that Prometheus expects") {
    const Served served;
    const std::string answer = served.get("/metrics");
    CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
    CHECK(answer.find("text/plain; version=0.0.4") != std::string::npos);
    CHECK(answer.ends_with("\r\n\r\nleft4me_asked 1\n"));
    CHECK(served.ask("GET /metrics HTTP/1.0\r\n\r\n").ends_with("left4me_asked 2\n"));
}

TEST_CASE("any other request is refused and has no effect") {
    const Served served;
    CHECK(served.get("/").starts_with("HTTP/1.1 404"));
    CHECK(served.get("/metrics/../etc/passwd").starts_with("HTTP/1.1 404"));
    CHECK(served.ask("POST /metrics HTTP/1.0\r\nContent-Length: 0\r\n\r\n").starts_with("HTTP/1.0 405"));
    CHECK(served.ask("\x16\x03\x01\x02 this is no HTTP\r\n\r\n").empty());
    CHECK(served.ask("GET /" + std::string(100'000, 'a') + " HTTP/1.1\r\n\r\n").empty());
    CHECK(served.get("/metrics").ends_with("left4me_asked 1\n"));
}

TEST_CASE("silent clients are disconnected, and others are served meanwhile") {
    const Served served;
    std::vector<Fd> silent;
    for (int i = 0; i < 10; ++i) silent.push_back(served.connect());
    CHECK(served.get("/metrics").ends_with("left4me_asked 1\n"));
    const auto begin = std::chrono::steady_clock::now();
    CHECK(Served::read_all(silent.front()).empty());
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));
}

TEST_CASE("only this machine can connect") {
    const Served served;
    CHECK(served.connect(INADDR_LOOPBACK));
    // The whole of 127/8 is this machine; the port is open on only one of its addresses.
    CHECK_FALSE(served.connect(INADDR_LOOPBACK + 1));
}

TEST_CASE("a port that is taken is an error that names it") {
    const Served served;
    boost::asio::io_context io;
    const auto second = MetricsPort::open(io, served.port(), [] { return std::string(); });
    REQUIRE_FALSE(second);
    CHECK(second.error().find("127.0.0.1:" + std::to_string(served.port())) != std::string::npos);
}

TEST_CASE("a web page that reaches the port under its own name is refused and learns nothing") {
    const Served served;
    const std::string port = ":" + std::to_string(served.port());
    const auto ask = [&](const std::string& headers) {
        return served.ask("GET /metrics HTTP/1.1\r\n" + headers + "\r\n");
    };
    for (const std::string& host :
         {"evil.example" + port, "localhost.evil.example" + port, std::string("localhost"),
          "localhost:1" + port, "localhost" + port + "@evil.example", "127.0.0.2" + port, std::string(),
          "localhost" + port + ", evil.example", "user@localhost" + port}) {
        INFO(host);
        const std::string answer = ask("Host: " + host + "\r\n");
        CHECK(answer.starts_with("HTTP/1.1 421"));
        CHECK(answer.find("left4me_asked") == std::string::npos);
    }
    CHECK(ask("").starts_with("HTTP/1.1 421"));
    CHECK(ask("Host: localhost" + port + "\r\nHost: evil.example\r\n").find("left4me_asked") ==
          std::string::npos);
    for (const char* const name : {"localhost", "LocalHost", "127.0.0.1", "[::1]"}) {
        INFO(name);
        CHECK(served.get("/metrics", name).starts_with("HTTP/1.1 200"));
    }
}
