#include "probe/probe.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include "adapters/fd.hpp"
#include "adapters/files.hpp"
#include "adapters/ipv4.hpp"
#include "adapters/probes/lists.hpp"
#include "adapters/probes/published.hpp"
#include "adapters/since_boot.hpp"
#include "probe/publisher.hpp"

namespace left4me::probe {
namespace {

/// Games come and go; the kernel tells nobody.
constexpr Time look_for_sockets{2000};
/// Answers come one by one, and only what a restart may wait for is published at once: that nobody plays is
/// believed for less than a second.
constexpr Time publish_pause{250};
/// Only people read who plays.
constexpr Time publish_lists_pause{2000};

/// What comes meanwhile is read at once: waking up costs more than reading. So an answer may seem to have
/// taken this much longer than it did.
constexpr Time gather_pause{50};

constexpr int receive_buffer = 256 * 1024;
/// More than the receive buffer, which the kernel doubles, can hold: each datagram takes more than 512 bytes
/// of it. So all that has come before is read before anything is asked.
constexpr unsigned max_datagrams = 1024;

/// 1000 sockets take 150 kB.
constexpr std::size_t max_table = std::size_t{16} * 1024 * 1024;

std::unexpected<std::string> failure(const char* what, int error) {
    return std::unexpected(std::string(what) + ": " + std::generic_category().message(error));
}

std::string text_of(std::uint32_t address) {
    std::array<char, INET_ADDRSTRLEN> text{};
    const in_addr network{htonl(address)};
    return ::inet_ntop(AF_INET, &network, text.data(), text.size()) == nullptr ? "" : text.data();
}

probes::Published published(const Listening& socket, const Answered& answer) {
    return {.address = text_of(socket.at.address),
            .port = socket.at.port,
            .asked = answer.asked,
            .players = people(answer),
            .max_players = answer.info.max_players,
            .map = answer.info.map,
            .took = answer.took};
}

probes::PublishedList published(const Listening& socket, const Listed& listed) {
    probes::PublishedList list{
        .address = text_of(socket.at.address), .port = socket.at.port, .asked = listed.asked, .players = {}};
    for (const a2s::Player& player : listed.players)
        list.players.push_back({player.name, player.score, player.seconds});
    return list;
}

class RunningProbe : public Probe {
  public:
    RunningProbe(Settings settings, Fd table, Fd socket, Publisher publisher)
        : settings_(std::move(settings)),
          table_(std::move(table)),
          socket_(std::move(socket)),
          publisher_(std::move(publisher)),
          asker_(settings_.pace, static_cast<std::uint32_t>(::getpid())) {}

    std::expected<void, std::string> step(Time longest) override {
        receive();
        const Time now = since_boot();
        if (now >= look_at_) {
            if (auto looked = look(now); !looked) return looked;
        }
        for (const Asker::Datagram& question : asker_.due(now)) send(question);
        if (news_ && (awaited_ || now >= publish_at_)) {
            if (auto done = publish(now); !done) return done;
        }
        wait(now, longest);
        return {};
    }

  private:
    void send(const Asker::Datagram& datagram) {
        sockaddr_in to = ipv4(datagram.to.address, datagram.to.port);
        // What cannot be sent is not answered.
        (void)::sendto(socket_.get(), datagram.bytes.data(), datagram.bytes.size(), MSG_DONTWAIT, generic(to),
                       sizeof to);
    }

    void receive() {
        // One byte more than is read: what is larger is truncated to something that is too large.
        std::array<char, a2s::largest_datagram + 1> buffer;
        for (unsigned i = 0; i < max_datagrams; ++i) {
            sockaddr_in from{};
            socklen_t length = sizeof from;
            const ssize_t got =
                ::recvfrom(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT, generic(from), &length);
            if (got < 0) return;
            const Endpoint sender{ntohl(from.sin_addr.s_addr), ntohs(from.sin_port)};
            const Asker::Heard heard =
                asker_.heard(sender, {buffer.data(), static_cast<std::size_t>(got)}, since_boot());
            news_ = news_ || heard.answered;
            fewer_ = fewer_ || heard.fewer;
            awaited_ = awaited_ || heard.awaited;
            if (heard.reply) send(*heard.reply);
        }
    }

    std::expected<void, std::string> look(Time now) {
        look_at_ = now + look_for_sockets;
        if (::lseek(table_.get(), 0, SEEK_SET) != 0) return failure("the table of sockets", errno);
        const auto table = read_descriptor(table_.get(), settings_.sockets.string(), max_table);
        if (!table) return std::unexpected(table.error());
        const auto sockets = listening_sockets(*table, settings_.user, probes::max_published);
        asker_.listening(sockets, now);
        // Of a part of the games nothing is said that needs all of them.
        if (sockets.size() < probes::max_published) looked_ = now;
        news_ = true;
        return {};
    }

    std::expected<void, std::string> publish(Time now) {
        probes::Document document{.looked = looked_, .answers = {}, .sockets = {}};
        for (const auto& [socket, answer] : asker_.answers())
            document.answers.push_back(published(socket, answer));
        for (const auto& [socket, watched] : asker_.watched())
            document.sockets.push_back({socket.at.port, watched.since, watched.unread});
        if (auto done = publisher_.publish(probes::to_text(document)); !done)
            return failure("the answers", done.error());
        // Whoever is woken must find the answer.
        if (fewer_) {
            if (auto done = publisher_.tell_fewer(); !done) return failure("the signal", done.error());
        }
        news_ = fewer_ = awaited_ = false;
        publish_at_ = now + publish_pause;
        return publish_lists(now);
    }

    std::expected<void, std::string> publish_lists(Time now) {
        if (now < publish_lists_at_) return {};
        publish_lists_at_ = now + publish_lists_pause;
        std::vector<probes::PublishedList> all;
        for (const auto& [socket, listed] : asker_.lists()) all.push_back(published(socket, listed));
        if (auto done = publisher_.publish_lists(probes::to_text(all)); !done)
            return failure("the lists of players", done.error());
        return {};
    }

    void wait(Time now, Time longest) const {
        Time until = std::min(look_at_, now + longest);
        if (const auto next = asker_.next()) until = std::min(until, *next);
        if (news_) until = std::min(until, publish_at_);
        pollfd awaited{.fd = socket_.get(), .events = POLLIN, .revents = 0};
        if (::poll(&awaited, 1, static_cast<int>(std::max(until - now, Time(0)).count())) > 0)
            (void)::poll(nullptr, 0, static_cast<int>(gather_pause.count()));
    }

    Settings settings_;
    Fd table_;
    Fd socket_;
    Publisher publisher_;
    Asker asker_;
    Time look_at_{};
    Time publish_at_{};
    Time publish_lists_at_{};
    Time looked_{};
    bool news_ = true;  // an empty list says that the probe runs
    bool fewer_ = false;
    bool awaited_ = false;
};

}  // namespace

std::expected<std::unique_ptr<Probe>, std::string> Probe::open(Settings settings) {
    Fd table(::open(settings.sockets.c_str(), O_RDONLY | O_CLOEXEC));
    if (!table) return std::unexpected(errno_message(settings.sockets, errno));
    Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_in own = ipv4(INADDR_LOOPBACK, 0);
    if (!socket || ::bind(socket.get(), generic(own), sizeof own) != 0) return failure("socket", errno);
    (void)::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    auto publisher = Publisher::open(settings.paths);
    if (!publisher) return std::unexpected(publisher.error());
    return std::make_unique<RunningProbe>(std::move(settings), std::move(table), std::move(socket),
                                          *std::move(publisher));
}

}  // namespace left4me::probe
