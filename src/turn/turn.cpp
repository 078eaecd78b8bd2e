#include "turn/turn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/a2s/info.hpp"
#include "adapters/fd.hpp"
#include "adapters/files.hpp"
#include "adapters/ipv4.hpp"
#include "adapters/since_boot.hpp"
#include "specs/name.hpp"

namespace left4me::turn {

namespace {

/// Whoever waits at the head of the queue holds this lock, and is the only one who asks games.
constexpr const char* head = ".head";
/// Whoever waits holds the lock of this file of his own; whoever is next waits for that lock.
constexpr std::string_view waiting = ".waiting.";
/// All answers to A2S queries, split or not, begin with 0xFFFFFFFF or 0xFFFFFFFE (little-endian):
/// developer.valvesoftware.com/wiki/Server_queries. What follows is nobody's business here.
constexpr std::size_t header_bytes = 4;

/// A server that is coming up: the text of its file is `PORT BEGUN`. An empty file is that of one that has
/// come up.
struct Coming {
    std::string server;
    std::uint16_t port = 0;
    Time begun{};  ///< of CLOCK_BOOTTIME
};

std::optional<Coming> parse(const std::string& server, std::string_view text) {
    Coming coming{server, 0, {}};
    std::int64_t begun = 0;
    const char* const last = text.data() + text.size();
    const auto port = std::from_chars(text.data(), last, coming.port);
    if (port.ec != std::errc{} || port.ptr == last || *port.ptr != ' ') return std::nullopt;
    const auto time = std::from_chars(port.ptr + 1, last, begun);
    if (time.ec != std::errc{} || time.ptr != last) return std::nullopt;
    coming.begun = Time(begun);
    return coming;
}

class Turns {
  public:
    explicit Turns(const Settings& settings) : settings_(settings) {}

    std::expected<std::vector<Coming>, std::string> read() const {
        std::vector<Coming> all;
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(settings_.turns, error)) {
            const std::string name = entry.path().filename().string();
            if (!is_valid_name(name)) continue;
            const auto text = read_file(entry.path(), max_bytes);
            if (auto coming = text ? parse(name, *text) : std::nullopt) all.push_back(*std::move(coming));
        }
        if (error) return std::unexpected(settings_.turns.string() + ": " + error.message());
        std::sort(all.begin(), all.end(),
                  [](const Coming& a, const Coming& b) { return a.server < b.server; });
        return all;
    }

    std::expected<void, std::string> write(const Coming& coming) const {
        return write_file(settings_.turns / coming.server,
                          fmt::format("{} {}", coming.port, coming.begun.count()));
    }

    /// It has come up, or nobody waits for it any more.
    void close(const std::string& server) const { (void)write_file(settings_.turns / server, ""); }

  private:
    static constexpr std::size_t max_bytes = 64;
    const Settings& settings_;
};

/// Asks each once, and closes the turns of those that answer within `time`, or whose answer to an earlier
/// question comes in it.
void ask(const Fd& socket, std::vector<Coming> coming, Time time, const Turns& turns) {
    const std::string question = a2s::info_question();
    for (const Coming& one : coming) {
        sockaddr_in to = ipv4(INADDR_LOOPBACK, one.port);
        (void)::sendto(socket.get(), question.data(), question.size(), 0, generic(to), sizeof to);
    }
    const Time until = since_boot() + time;
    for (Time left = time; left.count() > 0; left = until - since_boot()) {
        pollfd watched{socket.get(), POLLIN, 0};
        if (::poll(&watched, 1, static_cast<int>(left.count())) <= 0) continue;
        std::array<unsigned char, header_bytes> header{};
        sockaddr_in from{};
        socklen_t size = sizeof from;
        const ssize_t got =
            ::recvfrom(socket.get(), header.data(), header.size(), MSG_DONTWAIT, generic(from), &size);
        if (got != static_cast<ssize_t>(header.size()) || header[1] != 0xff || header[2] != 0xff ||
            header[3] != 0xff || from.sin_addr.s_addr != htonl(INADDR_LOOPBACK))
            continue;
        const std::uint16_t port = ntohs(from.sin_port);
        std::erase_if(coming, [&](const Coming& one) {
            if (one.port != port) return false;
            turns.close(one.server);
            return true;
        });
        if (coming.empty()) return;
    }
}

/// Those who wait and come before `server`, the last of them first.
std::expected<std::vector<std::string>, std::string> before(const std::filesystem::path& turns,
                                                            const std::string& server) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(turns, error)) {
        const std::string file = entry.path().filename().string();
        if (!file.starts_with(waiting)) continue;
        std::string name = file.substr(waiting.size());
        if (name < server) names.push_back(std::move(name));
    }
    if (error) return std::unexpected(turns.string() + ": " + error.message());
    std::sort(names.rbegin(), names.rend());
    return names;
}

std::unexpected<std::string> lock_failure(const std::filesystem::path& file) {
    return std::unexpected(errno_message(file, errno));
}

/// Waits for the lock and takes it.
bool lock_at_last(const Fd& file, int kind) {
    while (::flock(file.get(), kind) != 0) {
        if (errno != EINTR) return false;
    }
    return true;
}

/// The file of the last one of `names` who still waits; nullopt: nobody does. What a killed process has left
/// is not locked.
std::optional<Fd> find_waiting(const std::filesystem::path& turns, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        const std::string file = turns / (std::string(waiting) + name);
        Fd lock(::open(file.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
        if (lock && ::flock(lock.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) return lock;
    }
    return std::nullopt;
}

/// The lock of the head, when nobody who waits comes before `server`. `waits` is called before each wait.
std::expected<Fd, std::string> come_to_head(const std::filesystem::path& turns, const std::string& server,
                                            const std::function<void()>& waits) {
    for (;;) {
        auto lock = open_lock_file(turns / head);
        if (!lock) return std::unexpected(errno_message(turns / head, lock.error()));
        if (::flock(lock->get(), LOCK_EX | LOCK_NB) != 0) {
            waits();
            if (!lock_at_last(*lock, LOCK_EX)) return lock_failure(turns / head);
        }
        const auto names = before(turns, server);
        if (!names) return std::unexpected(names.error());
        const auto other = find_waiting(turns, *names);
        if (!other) return std::move(*lock);
        lock->reset();
        waits();
        if (!lock_at_last(*other, LOCK_SH)) return lock_failure(turns);
    }
}

std::string names_of(const std::vector<Coming>& coming) {
    std::string names;
    for (const Coming& one : coming) names += (names.empty() ? "" : ", ") + one.server;
    return names;
}

}  // namespace

std::expected<void, std::string> take_turn(const Settings& settings, const std::string& server,
                                           std::uint16_t port,
                                           const std::function<void(const std::string& others)>& waits) {
    const Turns turns(settings);
    std::error_code unreadable;
    if (std::filesystem::exists(settings.turns / server, unreadable)) {
        // One that has crashed before its game has answered keeps nobody waiting.
        turns.close(server);
        return {};
    }
    const std::filesystem::path own = settings.turns / (std::string(waiting) + server);
    const auto place = hold_lock_file(own);
    if (!place) return std::unexpected(errno_message(own, place.error()));
    std::this_thread::sleep_for(settings.gather);
    bool in_queue = false;
    const auto lock = come_to_head(settings.turns, server, [&] {
        if (!std::exchange(in_queue, true)) waits({});
    });
    if (!lock) return std::unexpected(lock.error());
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return std::unexpected("a socket: " + std::generic_category().message(errno));
    for (bool at_head = false;;) {
        auto coming = turns.read();
        if (!coming) return std::unexpected(coming.error());
        std::erase_if(*coming, [&](const Coming& one) {
            // One from the future is damaged.
            const Time age = since_boot() - one.begun;
            if (age >= Time(0) && age < settings.longest) return false;
            turns.close(one.server);
            return true;
        });
        if (coming->size() < settings.most) break;
        if (!std::exchange(at_head, true)) waits(names_of(*coming));
        ask(socket, *coming, settings.interval, turns);
    }
    (void)::unlink(own.c_str());
    return turns.write({server, port, since_boot()});
}

}  // namespace left4me::turn
