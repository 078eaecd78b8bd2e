#include "adapters/metrics/port.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <iterator>
#include <utility>

namespace left4me {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t max_clients = 16;
constexpr std::uint32_t max_header_bytes = 8192;
constexpr std::chrono::seconds timeout{5};

/// Whether a Host header has a name of this machine that no DNS server can give to another one, and this
/// port. A page in a browser that reaches us under its own name (DNS rebinding) sends that name.
bool is_loopback_host(beast::string_view host, std::uint16_t port) {
    const std::string behind = ":" + std::to_string(port);
    for (const char* const name : {"localhost", "127.0.0.1", "[::1]"}) {
        if (beast::iequals(host, name + behind)) return true;
        if (port == 80 && beast::iequals(host, name)) return true;
    }
    return false;
}

/// One client, one request, one response.
class Client : public std::enable_shared_from_this<Client> {
  public:
    Client(tcp::socket socket, const std::function<std::string()>& text, std::shared_ptr<std::size_t> clients)
        : stream_(std::move(socket)), text_(text), clients_(std::move(clients)) {
        ++*clients_;
        error_code ignored;
        port_ = stream_.socket().local_endpoint(ignored).port();
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { --*clients_; }

    void serve() {
        parser_.header_limit(max_header_bytes);
        parser_.body_limit(0);
        stream_.expires_after(timeout);
        http::async_read(stream_, buffer_, parser_,
                         [self = shared_from_this()](const error_code& error, std::size_t) {
                             if (!error) self->answer();
                         });
    }

  private:
    void answer() {
        // A separate time limit: a slow request does not shorten it, and a client that does not read is cut
        // off.
        stream_.expires_after(timeout);
        const http::request<http::empty_body>& request = parser_.get();
        response_.version(request.version());
        response_.keep_alive(false);
        response_.set(http::field::content_type, "text/plain; charset=utf-8");
        const auto hosts = request.equal_range(http::field::host);
        const bool one = hosts.first != hosts.second && std::next(hosts.first) == hosts.second;
        const bool none = hosts.first == hosts.second && request.version() == 10;
        if (!none && !(one && is_loopback_host(hosts.first->value(), port_))) {
            response_.result(http::status::misdirected_request);
            response_.body() = "left4me: use localhost:" + std::to_string(port_) + "\n";
        } else if (request.method() != http::verb::get) {
            response_.result(http::status::method_not_allowed);
            response_.set(http::field::allow, "GET");
        } else if (request.target() != "/metrics") {
            response_.result(http::status::not_found);
            response_.body() = "left4me: the metrics are at /metrics\n";
        } else {
            response_.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
            response_.body() = text_();
        }
        response_.prepare_payload();
        http::async_write(stream_, response_, [self = shared_from_this()](const error_code&, std::size_t) {
            error_code ignored;
            self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        });
    }

    beast::tcp_stream stream_;
    beast::flat_buffer buffer_{max_header_bytes + 1024};
    http::request_parser<http::empty_body> parser_;
    http::response<http::string_body> response_;
    std::function<std::string()> text_;
    std::shared_ptr<std::size_t> clients_;
    std::uint16_t port_ = 0;
};

}  // namespace

struct MetricsPort::Listener : std::enable_shared_from_this<Listener> {
    Listener(asio::io_context& io, std::function<std::string()> asked)
        : acceptor(io), text(std::move(asked)) {}

    void accept() {
        acceptor.async_accept([self = shared_from_this()](const error_code& error, tcp::socket socket) {
            if (error == asio::error::operation_aborted || !self->acceptor.is_open()) return;
            if (!error && *self->clients < max_clients)
                std::make_shared<Client>(std::move(socket), self->text, self->clients)->serve();
            self->accept();
        });
    }

    tcp::acceptor acceptor;
    std::function<std::string()> text;
    std::shared_ptr<std::size_t> clients = std::make_shared<std::size_t>(0);
};

std::expected<std::unique_ptr<MetricsPort>, std::string> MetricsPort::open(
    asio::io_context& io, std::uint16_t port, std::function<std::string()> text) {
    auto listener = std::make_shared<Listener>(io, std::move(text));
    const tcp::endpoint place(asio::ip::address_v4::loopback(), port);
    error_code error;
    listener->acceptor.open(place.protocol(), error);
    if (!error) listener->acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) listener->acceptor.bind(place, error);
    if (!error) listener->acceptor.listen(static_cast<int>(max_clients), error);
    if (error)
        return std::unexpected("metrics.port 127.0.0.1:" + std::to_string(port) + ": " + error.message());
    listener->accept();
    return std::unique_ptr<MetricsPort>(new MetricsPort(std::move(listener)));
}

MetricsPort::MetricsPort(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}

MetricsPort::~MetricsPort() {
    error_code ignored;
    listener_->acceptor.close(ignored);
}

std::uint16_t MetricsPort::port() const {
    error_code ignored;
    return listener_->acceptor.local_endpoint(ignored).port();
}

}  // namespace left4me
