#include "adapters/trigger/server.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <set>
#include <utility>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/trigger/address.hpp"

namespace left4me {
namespace {

namespace asio = boost::asio;
using asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::size_t max_followers = 32;
constexpr std::size_t max_missed_outcomes = 10'000;
constexpr std::chrono::seconds patience_for_request{5};

/// The name of a peer that is not believed when it names somebody, or nothing.
std::optional<std::string> name_of_stranger(int socket) {
    ucred peer{};
    socklen_t size = sizeof peer;
    if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return "";
    if (peer.uid == 0 || peer.uid == ::geteuid()) return std::nullopt;
    std::vector<char> buffer(16384);
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(peer.uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
        return entry.pw_name;
    return fmt::format("uid{}", peer.uid);
}

std::expected<Fd, std::string> listen_at(const Paths& paths, std::optional<gid_t> group) {
    const auto address = trigger_address(paths);
    const auto failed = [&] {
        return std::unexpected(fmt::format("{}: {}", paths.trigger().string(), std::strerror(errno)));
    };
    if (!address) return std::unexpected(fmt::format("{}: the path is too long", paths.trigger().string()));
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return failed();
    if (::unlink(address->sun_path) != 0 && errno != ENOENT) return failed();
    const auto* const at = reinterpret_cast<const sockaddr*>(&*address);
    // unix(7): the file is created with the socket's mode, so it is never open to others, not even briefly.
    if (::fchmod(socket.get(), 0600) != 0) return failed();
    if (::bind(socket.get(), at, sizeof *address) != 0) return failed();
    // The directory passes on its group (setgid): the daemon's sandbox forbids chown(2).
    struct stat status{};
    const bool given =
        group && ::lstat(address->sun_path, &status) == 0 &&
        (status.st_gid == *group || ::lchown(address->sun_path, static_cast<uid_t>(-1), *group) == 0);
    if (given && ::chmod(address->sun_path, 0660) != 0) return failed();
    if (::listen(socket.get(), SOMAXCONN) != 0) return failed();
    return socket;
}

}  // namespace

struct TriggerServer::Listener : std::enable_shared_from_this<Listener> {
    class Follower;

    Listener(asio::io_context& io, OnTrigger asked) : acceptor(io), on_trigger(std::move(asked)) {}

    void accept();

    stream_protocol::acceptor acceptor;
    OnTrigger on_trigger;
    std::set<std::shared_ptr<Follower>> followers;
};

/// One client: asks once, and is told of every step from then on.
class TriggerServer::Listener::Follower : public std::enable_shared_from_this<Follower> {
  public:
    Follower(stream_protocol::socket socket, std::weak_ptr<Listener> listener)
        : socket_(std::move(socket)), deadline_(socket_.get_executor()), listener_(std::move(listener)) {}

    void serve() {
        deadline_.expires_after(patience_for_request);
        deadline_.async_wait([self = shared_from_this()](const error_code& error) {
            if (!error && !self->asked_) self->drop();
        });
        asio::async_read_until(socket_, asio::dynamic_buffer(input_, max_request_bytes), '\n',
                               [self = shared_from_this()](const error_code& error, std::size_t size) {
                                   if (error) return self->drop();
                                   self->asked(size);
                               });
    }

    void report(StepReport report) {
        if (!asked_) return;
        report.seen = true;
        waiting_ = waiting_ ? merge(*std::move(waiting_), std::move(report)) : std::move(report);
        if (waiting_->ended.outcomes.size() > max_missed_outcomes) return drop();
        send();
    }

    void drop() {
        const auto self = shared_from_this();
        error_code ignored;
        socket_.close(ignored);
        deadline_.cancel();
        asked_ = false;
        if (const auto listener = listener_.lock()) listener->followers.erase(self);
    }

  private:
    void asked(std::size_t size) {
        const auto listener = listener_.lock();
        auto request = parse_request(std::string_view(input_).substr(0, size));
        if (!listener || !request) return drop();
        if (auto stranger = name_of_stranger(socket_.native_handle())) request->actor = *std::move(stranger);
        asked_ = true;
        deadline_.cancel();
        wait_for_end();
        listener->on_trigger(*request);
    }

    /// Whatever else a client says is not read; that it has gone is seen.
    void wait_for_end() {
        socket_.async_read_some(asio::buffer(ignored_),
                                [self = shared_from_this()](const error_code& error, std::size_t) {
                                    if (error) return self->drop();
                                    self->wait_for_end();
                                });
    }

    void send() {
        if (!waiting_ || !line_.empty() || !socket_.is_open()) return;
        line_ = report_line(*std::exchange(waiting_, std::nullopt));
        asio::async_write(socket_, asio::buffer(line_),
                          [self = shared_from_this()](const error_code& error, std::size_t) {
                              if (error) return self->drop();
                              self->line_.clear();
                              self->send();
                          });
    }

    stream_protocol::socket socket_;
    asio::steady_timer deadline_;
    std::weak_ptr<Listener> listener_;
    bool asked_ = false;
    std::string input_;
    std::array<char, 256> ignored_{};
    std::string line_;                   ///< is being sent
    std::optional<StepReport> waiting_;  ///< comes after it
};

void TriggerServer::Listener::accept() {
    acceptor.async_accept(
        [self = shared_from_this()](const error_code& error, stream_protocol::socket socket) {
            if (error == asio::error::operation_aborted || !self->acceptor.is_open()) return;
            if (!error && self->followers.size() < max_followers) {
                const auto follower = std::make_shared<Follower>(std::move(socket), self);
                self->followers.insert(follower);
                follower->serve();
            } else if (!error) {
                // One too many is not told anything, but what it came for is done.
                self->on_trigger({});
            }
            self->accept();
        });
}

std::expected<std::unique_ptr<TriggerServer>, std::string> TriggerServer::open(asio::io_context& io,
                                                                               const Paths& paths,
                                                                               std::optional<gid_t> group,
                                                                               OnTrigger on_trigger) {
    auto socket = listen_at(paths, group);
    if (!socket) return std::unexpected(socket.error());
    auto listener = std::make_shared<Listener>(io, std::move(on_trigger));
    error_code error;
    listener->acceptor.assign(stream_protocol(), socket->get(), error);
    if (error) return std::unexpected(paths.trigger().string() + ": " + error.message());
    (void)socket->release();
    listener->accept();
    return std::unique_ptr<TriggerServer>(new TriggerServer(std::move(listener)));
}

TriggerServer::TriggerServer(std::shared_ptr<Listener> listener) : listener_(std::move(listener)) {}

TriggerServer::~TriggerServer() {
    error_code ignored;
    listener_->acceptor.close(ignored);
    for (const auto& follower : std::exchange(listener_->followers, {})) follower->drop();
}

void TriggerServer::report(const StepReport& report) {
    // A follower that is dropped leaves the set.
    for (const auto& follower : std::set(listener_->followers)) follower->report(report);
}

}  // namespace left4me
