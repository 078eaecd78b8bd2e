#include "adapters/rcon/session.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "adapters/ipv4.hpp"

namespace left4me::rcon {
namespace {

/// So that a game that sends without end does not keep the caller.
constexpr unsigned reads_at_once = 16;

unsigned next_instance() {
    static unsigned instances = 0;
    return ++instances;
}

bool is_temporary(int error) { return error == EAGAIN || error == EINTR; }

}  // namespace

Session::Session(std::uint16_t port, const std::string& password)
    : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)),
      instance_(next_instance()),
      conversation_(password) {
    const int yes = 1;
    (void)::setsockopt(socket_.get(), IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    sockaddr_in address = ipv4(INADDR_LOOPBACK, port);
    const int connected = ::connect(socket_.get(), generic(address), sizeof address);
    is_connected_ = connected == 0;
    if (connected != 0 && errno != EINPROGRESS) fail(Failure::NotListening);
}

/// An event loop may still hold a duplicate of the descriptor.
Session::~Session() {
    if (socket_) (void)::shutdown(socket_.get(), SHUT_RDWR);
}

void Session::execute(std::string command, std::chrono::milliseconds timeout) {
    conversation_.execute(std::move(command));
    until_ = Clock::now() + timeout;
}

std::optional<Answer> Session::advance() {
    if (!failed_) send();
    if (!failed_) receive();
    if (!failed_) send();  // the command, once the password is accepted
    if (const auto& answer = conversation_.answer()) return *answer;
    if (!failed_ && Clock::now() >= until_) fail(Failure::Silent);
    if (failed_) return std::unexpected(*failed_);
    return std::nullopt;
}

void Session::send() {
    unsent_ += conversation_.take_output();
    while (!unsent_.empty()) {
        const ssize_t sent =
            ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        if (sent < 0 && is_temporary(errno)) return;
        if (sent < 0) return fail(is_connected_ ? Failure::Silent : Failure::NotListening);
        is_connected_ = true;
        unsent_.erase(0, static_cast<std::size_t>(sent));
    }
}

void Session::receive() {
    std::array<char, 16384> buffer;
    for (unsigned i = 0; i < reads_at_once; ++i) {
        const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
        if (got < 0 && (is_temporary(errno) || errno == ENOTCONN)) return;
        if (got <= 0) return fail(is_connected_ ? Failure::Silent : Failure::NotListening);
        conversation_.received({buffer.data(), static_cast<std::size_t>(got)});
    }
}

void Session::fail(Failure failure) {
    failed_ = failure;
    socket_.reset();
}

Readiness Session::readiness() const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until_ - Clock::now());
    const bool must_send = !is_connected_ || !unsent_.empty();
    return {.fd = socket_.get(),
            .events = static_cast<short>(must_send ? POLLIN | POLLOUT : POLLIN),
            .timeout = std::max(left, std::chrono::milliseconds(0)),
            .instance = instance_};
}

Answer ask(Session& session, std::string command, std::chrono::milliseconds timeout) {
    session.execute(std::move(command), timeout);
    for (;;) {
        if (auto answer = session.advance()) return *std::move(answer);
        wait_for_any({session.readiness()});
    }
}

}  // namespace left4me::rcon
