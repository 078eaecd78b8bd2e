#include "adapters/trigger/client.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

#include "adapters/trigger/address.hpp"

namespace left4me {
namespace {

/// No report of ten thousand servers is longer: this is not the daemon.
constexpr std::size_t max_report_bytes = std::size_t{64} << 20U;

std::expected<Fd, TriggerError> connect_to_daemon(const Paths& paths) {
    const auto address = trigger_address(paths);
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!address || !socket) return std::unexpected(TriggerError::NoDaemon);
    const auto* const to = reinterpret_cast<const sockaddr*>(&*address);
    if (::connect(socket.get(), to, sizeof *address) != 0)
        return std::unexpected(errno == EACCES ? TriggerError::Refused : TriggerError::NoDaemon);
    return socket;
}

std::expected<Fd, TriggerError> connect_and_ask(const Paths& paths, const TriggerRequest& request) {
    auto socket = connect_to_daemon(paths);
    if (!socket) return socket;
    // A line this short always fits into the socket's buffer.
    const std::string line = request_line(request);
    const ssize_t sent = ::send(socket->get(), line.data(), line.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(line.size())) return std::unexpected(TriggerError::NoDaemon);
    return socket;
}

}  // namespace

bool daemon_listens(const Paths& paths) {
    const auto connected = connect_to_daemon(paths);
    return connected || connected.error() == TriggerError::Refused;
}

std::expected<void, TriggerError> trigger(const Paths& paths, const TriggerRequest& request) {
    if (const auto asked = connect_and_ask(paths, request); !asked) return std::unexpected(asked.error());
    return {};
}

std::expected<TriggerClient, TriggerError> TriggerClient::connect(const Paths& paths,
                                                                  const TriggerRequest& request) {
    auto socket = connect_and_ask(paths, request);
    if (!socket) return std::unexpected(socket.error());
    return TriggerClient(std::move(*socket));
}

std::optional<StepReport> TriggerClient::read() {
    std::array<char, 65536> buffer{};
    std::size_t end = received_.find('\n');
    while (end == std::string::npos && socket_) {
        const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0 && errno == EAGAIN) return std::nullopt;
        if (got <= 0 || received_.size() > max_report_bytes) {
            socket_ = Fd();
            break;
        }
        received_.append(buffer.data(), static_cast<std::size_t>(got));
        end = received_.find('\n', received_.size() - static_cast<std::size_t>(got));
    }
    if (end == std::string::npos) return std::nullopt;
    auto report = parse_report(std::string_view(received_).substr(0, end));
    received_.erase(0, end + 1);
    if (!report) socket_ = Fd();  // whatever speaks there is not the daemon
    return report;
}

}  // namespace left4me
