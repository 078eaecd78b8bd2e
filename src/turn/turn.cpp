#include "turn/turn.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "adapters/a2s/info.hpp"
#include "adapters/fd.hpp"
#include "adapters/files.hpp"
#include "adapters/since_boot.hpp"
#include "specs/name.hpp"

namespace left4me::turn {

namespace {

/// Whoever waits at the head of the queue holds its lock, and is the only one who asks games.
constexpr const char* queue = ".queue";
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
    void close(const Coming& coming) const { (void)write_file(settings_.turns / coming.server, ""); }

  private:
    static constexpr std::size_t max_bytes = 64;
    const Settings& settings_;
};

sockaddr_in local(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

sockaddr* generic(sockaddr_in& address) { return reinterpret_cast<sockaddr*>(&address); }

/// Asks each once, and removes those that answer within `time`, or whose answer to an earlier question comes
/// in it.
void ask(const Fd& socket, std::vector<Coming>& coming, Time time, const Turns& turns) {
    const std::string question = a2s::info_question();
    for (const Coming& one : coming) {
        sockaddr_in to = local(one.port);
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
            turns.close(one);
            return true;
        });
        if (coming.empty()) return;
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
    if (std::filesystem::exists(settings.turns / server)) return {};
    const auto lock = hold_lock_file(settings.turns / queue);
    if (!lock) return std::unexpected(errno_message(settings.turns / queue, lock.error()));
    const Turns turns(settings);
    auto coming = turns.read();
    if (!coming) return std::unexpected(coming.error());
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return std::unexpected("a socket: " + std::generic_category().message(errno));
    for (bool said = false;;) {
        std::erase_if(*coming, [&](const Coming& one) {
            if (since_boot() - one.begun < settings.longest) return false;
            turns.close(one);
            return true;
        });
        if (coming->size() < settings.most) break;
        if (!std::exchange(said, true)) waits(names_of(*coming));
        ask(socket, *coming, settings.interval, turns);
    }
    return turns.write({server, port, since_boot()});
}

}  // namespace left4me::turn
