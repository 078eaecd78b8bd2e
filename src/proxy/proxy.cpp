#include "proxy/proxy.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <semaphore>
#include <string_view>
#include <system_error>
#include <thread>

#include "proxy/request.hpp"

namespace left4me::proxy {

namespace {

constexpr std::size_t chunk = 64UL * 1024;

/// The bytes of all connections in one direction.
class Budget {
  public:
    explicit Budget(std::uint64_t most) : most_(most) {}
    /// False: it is used up.
    bool take(std::size_t bytes) { return taken_.fetch_add(bytes) + bytes <= most_; }

  private:
    std::uint64_t most_;
    std::atomic<std::uint64_t> taken_ = 0;
};

struct Shared {
    const Judge& judge;
    const Limits& limits;
    const Say& say;
    Budget received{limits.received};
    Budget sent{limits.sent};
};

bool send_all(int socket, std::string_view bytes) {
    while (!bytes.empty()) {
        const ssize_t wrote = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return true;
}

void set_patience(int socket, std::chrono::seconds silence) {
    const timeval limit{silence.count(), 0};
    for (const int option : {SO_SNDTIMEO, SO_RCVTIMEO})
        (void)::setsockopt(socket, SOL_SOCKET, option, &limit, sizeof limit);
}

void answer(int client, const char* status, std::string_view text) {
    (void)send_all(client,
                   fmt::format("HTTP/1.1 {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: "
                               "close\r\n\r\n{}\n",
                               status, text.size() + 1, text));
}

/// One direction of a connection.
struct Way {
    int from;
    int to;
    Budget& budget;
    std::uint64_t bytes = 0;
    bool open = true;
};

class Connection {
  public:
    Connection(Fd client, Shared& shared) : client_(std::move(client)), shared_(shared) {}

    void run() {
        set_patience(client_.get(), shared_.limits.head);
        if (!read_head()) return;
        const std::size_t length = head_length(text_);
        const auto request = parse_request(std::string_view(text_).substr(0, length));
        if (!request) return answer(client_.get(), "400 Bad Request", request.error());
        const Attempt attempt = connect_to(*request, shared_.judge, shared_.limits.connect);
        const std::string where = fmt::format("{} port {}", request->host, request->port);
        for (const std::string& refused : attempt.refused)
            shared_.say(fmt::format("refused: {}: {}", where, refused));
        if (!attempt.socket) return fail(where, attempt);
        for (const int socket : {client_.get(), attempt.socket.get()})
            set_patience(socket, shared_.limits.silence);
        if (request->forward.empty() &&
            !send_all(client_.get(), "HTTP/1.1 200 Connection established\r\n\r\n"))
            return;
        const std::string first = request->forward + text_.substr(length);
        if (!shared_.sent.take(first.size()) || !send_all(attempt.socket.get(), first)) return;
        relay(attempt.socket.get(), fmt::format("{} ({})", where, attempt.address), first.size());
    }

  private:
    /// Whatever has come with it belongs to the destination.
    bool read_head() {
        const auto deadline = std::chrono::steady_clock::now() + shared_.limits.head;
        std::array<char, max_head> buffer{};
        while (head_length(text_) == 0) {
            if (text_.size() > max_head || std::chrono::steady_clock::now() > deadline) {
                answer(client_.get(), "400 Bad Request", "no HTTP request");
                return false;
            }
            const ssize_t got = ::recv(client_.get(), buffer.data(), buffer.size(), 0);
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return false;
            text_.append(buffer.data(), static_cast<std::size_t>(got));
        }
        return true;
    }

    /// The script is not told which addresses a name has inside.
    void fail(const std::string& where, const Attempt& attempt) {
        if (attempt.failure.empty())
            return answer(client_.get(), "403 Forbidden",
                          "it has no public address; l4d2ctl logs overlay/NAME shows more");
        shared_.say(fmt::format("not reached: {}: {}", where, attempt.failure));
        answer(client_.get(), "502 Bad Gateway",
               "it cannot be reached; l4d2ctl logs overlay/NAME shows more");
    }

    /// `sent`: bytes so far.
    void relay(int destination, const std::string& where, std::uint64_t sent) {
        Way up{client_.get(), destination, shared_.sent, sent};
        Way down{destination, client_.get(), shared_.received};
        std::string end;
        while (end.empty() && (up.open || down.open)) {
            std::array<pollfd, 2> watched{
                {{up.open ? up.from : -1, POLLIN, 0}, {down.open ? down.from : -1, POLLIN, 0}}};
            const int ready =
                ::poll(watched.data(), watched.size(),
                       static_cast<int>(std::chrono::milliseconds(shared_.limits.silence).count()));
            if (ready < 0 && errno == EINTR) continue;
            if (ready <= 0) end = ", ended: neither side has said anything for too long";
            for (const auto& [way, watch] : {std::pair(&up, &watched[0]), std::pair(&down, &watched[1])}) {
                if (ready > 0 && watch->revents != 0 && end.empty()) end = move(*way);
            }
        }
        shared_.say(fmt::format("{}: sent {} bytes, received {}{}", where, up.bytes, down.bytes, end));
    }

    /// What has come. Why the whole ends; empty: it goes on.
    static std::string move(Way& way) {
        std::array<char, chunk> buffer{};
        const ssize_t got = ::recv(way.from, buffer.data(), buffer.size(), 0);
        if (got < 0) return ", ended: the connection broke";
        if (got == 0) {
            way.open = false;
            (void)::shutdown(way.to, SHUT_WR);
            return "";
        }
        const auto bytes = static_cast<std::size_t>(got);
        if (!way.budget.take(bytes)) return ", ended: the script has moved more bytes than it may";
        way.bytes += bytes;
        return send_all(way.to, {buffer.data(), bytes}) ? "" : ", ended: the connection broke";
    }

    Fd client_;
    Shared& shared_;
    std::string text_;
};

/// Whether accept(2) may be called again after this errno.
bool goes_on(int error) { return error == EINTR || error == ECONNABORTED || error == EPROTO; }

}  // namespace

std::string serve(const Fd& listener, const Judge& judge, const Limits& limits, const Say& say) {
    Shared shared{judge, limits, say};
    std::counting_semaphore<> seats(limits.connections);
    std::uint64_t made = 0;
    while (true) {
        seats.acquire();
        Fd client(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
        const int error = errno;
        if (client && ++made <= limits.all) {
            try {
                std::thread([client = std::move(client), &shared, &seats]() mutable {
                    Connection(std::move(client), shared).run();
                    seats.release();
                }).detach();
                continue;
            } catch (const std::system_error&) {  // no thread: the client finds its connection closed
            }
        } else if (client && made == limits.all + 1) {
            say(fmt::format("refused: the script has made {} connections; it gets no more", limits.all));
        }
        seats.release();
        if (client || goes_on(error)) continue;
        for (std::ptrdiff_t seat = 0; seat < limits.connections; ++seat) seats.acquire();
        return std::generic_category().message(error);
    }
}

}  // namespace left4me::proxy
