// The probe against real stand-ins on the loopback address.
#include "probe/probe.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <functional>
#include <optional>
#include <sstream>

#include "../standin/process.hpp"
#include "adapters/confinement/confinement.hpp"
#include "adapters/fd.hpp"
#include "adapters/probes/lists.hpp"
#include "adapters/probes/published.hpp"
#include "adapters/since_boot.hpp"
#include "adapters/watch/tree_watch.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using standin::testing::Process;
using std::chrono::milliseconds;

namespace {

constexpr probe::Pace hurried{.interval = milliseconds(100),
                              .patience = milliseconds(100),
                              .longest_known = milliseconds(200),
                              .longest_unknown = milliseconds(200),
                              .spread = milliseconds(10)};

struct World {
    test::Scratch scratch;
    Paths paths;
    std::unique_ptr<probe::Probe> asking;
    std::unique_ptr<TreeWatch> watch;

    World() {
        paths.run = scratch.path() / "run";
        const std::ofstream created(sockets());
    }

    std::filesystem::path sockets() const { return scratch.path() / "udp"; }

    /// The kernel's table, with these ports alone: other tests have games, too.
    void listen(const std::vector<int>& ports) const {
        std::ifstream table("/proc/net/udp");
        std::string text;
        for (std::string line; std::getline(table, line);) {
            for (const int port : ports) {
                std::ostringstream hex;
                hex << std::hex << std::uppercase << port;
                if (line.find(":" + hex.str() + " ") != std::string::npos) text += line + "\n";
            }
        }
        std::ofstream(sockets()) << text;
    }

    void open(const std::vector<int>& ports) {
        listen(ports);
        auto opened =
            probe::Probe::open({.paths = paths, .user = ::getuid(), .sockets = sockets(), .pace = hurried});
        REQUIRE(opened);
        asking = *std::move(opened);
        watch = std::make_unique<TreeWatch>(std::vector<std::filesystem::path>{paths.probe_emptied()});
    }

    /// Steps until it is so.
    bool until(const std::function<bool()>& condition, milliseconds longest = milliseconds(60'000)) const {
        const auto end = since_boot() + longest;
        while (!condition()) {
            if (since_boot() > end) return false;
            REQUIRE(asking->step(milliseconds(50)));
        }
        return true;
    }

    std::optional<probes::Published> answer(int port) const {
        const auto known = probes::read_known(paths);
        if (!known) return std::nullopt;
        const auto found = known->answers.find(static_cast<std::uint16_t>(port));
        return found == known->answers.end() ? std::nullopt : std::optional(found->second);
    }

    bool does_not_read(int port) const {
        const auto known = probes::read_known(paths);
        if (!known) return false;
        const auto found = known->sockets.find(static_cast<std::uint16_t>(port));
        return found != known->sockets.end() && found->second.unread;
    }

    bool says(int port, unsigned players) const {
        const auto published = answer(port);
        return published && published->players == players;
    }
};

void tell(const Process& game, const std::string& line) {
    game.write("left4dead2/ems/standin.cfg", line + "\n");
}

/// A socket of our own on the loopback address.
struct Socket {
    Fd fd{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    int port = 0;

    Socket() {
        sockaddr_in own{};
        own.sin_family = AF_INET;
        own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        auto* const address = reinterpret_cast<sockaddr*>(&own);
        socklen_t length = sizeof own;
        REQUIRE(::bind(fd.get(), address, length) == 0);
        REQUIRE(::getsockname(fd.get(), address, &length) == 0);
        port = ntohs(own.sin_port);
    }
    /// The next question that arrives, and who asks.
    sockaddr_in await(std::string& question) const {
        std::array<char, 2000> buffer{};
        sockaddr_in from{};
        socklen_t length = sizeof from;
        const ssize_t got = ::recvfrom(fd.get(), buffer.data(), buffer.size(), MSG_DONTWAIT,
                                       reinterpret_cast<sockaddr*>(&from), &length);
        question.assign(buffer.data(), got < 0 ? 0 : static_cast<std::size_t>(got));
        return from;
    }
    void send(const std::string& bytes, const sockaddr_in& to) const {
        CHECK(::sendto(fd.get(), bytes.data(), bytes.size(), 0, reinterpret_cast<const sockaddr*>(&to),
                       sizeof to) == static_cast<ssize_t>(bytes.size()));
    }
};

std::string info(std::uint8_t players) {
    a2s::Info info;
    info.players = players;
    return a2s::encode(info);
}

}  // namespace

TEST_CASE("the probe finds a game by the kernel's table and publishes its players and map") {
    Process game;
    game.start({"+map", "c5m1_waterfront", "-maxplayers", "8", "+standin_players", "3"});
    World world;
    world.open({game.port()});
    REQUIRE(world.until([&] { return world.says(game.port(), 3); }));
    const auto answer = world.answer(game.port());
    CHECK(answer->map == "c5m1_waterfront");
    CHECK(answer->max_players == 8);
    CHECK(since_boot() - answer->asked < milliseconds(5000));
}

TEST_CASE(
    "the probe publishes who plays, without what a terminal could obey, whatever comes in parts or "
    "compressed") {
    const std::string how = GENERATE("", "split", "bzip2");
    Process game;
    game.start(
        {"-maxplayers", "8", "+standin_players", "6", "+standin_connecting", "2", "+standin_answers", how});
    World world;
    world.open({game.port()});
    const auto list = [&]() -> std::vector<probes::PublishedPlayer> {
        const auto lists = probes::read_lists(world.paths);
        const auto found =
            lists ? lists->find(static_cast<std::uint16_t>(game.port())) : decltype(lists->end())();
        return lists && found != lists->end() ? found->second.players
                                              : std::vector<probes::PublishedPlayer>();
    };
    REQUIRE(world.until([&] { return !list().empty(); }));
    CHECK(world.until([&] { return world.says(game.port(), 8); }));
    const auto players = list();
    REQUIRE(players.size() == 7);
    CHECK(players[0].name == "Zoey 1");
    CHECK(players[1].name == "?[31mred?[0m 2");
    CHECK(players[1].score == 9);
    CHECK(players[1].seconds <= 60);
    CHECK(players[6].name.empty());
}

TEST_CASE("a game that says that nobody plays, but lists players, is occupied") {
    Process game;
    game.start({"+standin_players", "2", "+standin_lie", "0"});
    World world;
    world.open({game.port()});
    REQUIRE(world.until([&] { return world.says(game.port(), 2); }));
    tell(game, "standin_players 0");
    CHECK(world.until([&] { return world.says(game.port(), 0); }));
}

TEST_CASE("a game that does not answer PLAYER is empty when INFO alone says so again and again") {
    Process game;
    game.start({"+standin_silent", "players"});
    World world;
    world.open({game.port()});
    CHECK(world.until([&] { return world.says(game.port(), 0); }));
}

TEST_CASE("lost, late, forged and broken datagrams delay the probe, but do not deceive it") {
    Process game;
    game.start({"-maxplayers", "8", "+standin_players", "3", "+standin_loss", "30", "+standin_delay", "50",
                "+standin_noise", "3"});
    World world;
    world.open({game.port()});
    REQUIRE(world.until([&] { return world.says(game.port(), 3); }));
    const auto end = since_boot() + milliseconds(3000);
    REQUIRE(world.until([&] {
        CHECK(world.says(game.port(), 3));
        return since_boot() > end;
    }));
    CHECK(since_boot() - world.answer(game.port())->asked < milliseconds(5000));
    tell(game, "standin_players 0");
    CHECK(world.until([&] { return world.says(game.port(), 0); }));
}

TEST_CASE("the probe says once that players have left, and nothing while nobody goes") {
    Process game;
    game.start({"-maxplayers", "8"});
    tell(game, "standin_players 2");
    World world;
    world.open({game.port()});
    REQUIRE(world.until([&] { return world.says(game.port(), 2); }));
    (void)world.watch->drain();
    tell(game, "standin_players 0");
    REQUIRE(world.until([&] { return world.says(game.port(), 0); }));
    CHECK(world.watch->drain());
    const auto asked = world.answer(game.port())->asked;
    REQUIRE(world.until([&] { return world.answer(game.port())->asked > asked + milliseconds(500); }));
    CHECK_FALSE(world.watch->drain());
    tell(game, "standin_players 1");
    REQUIRE(world.until([&] { return world.says(game.port(), 1); }));
    CHECK_FALSE(world.watch->drain());
}

TEST_CASE("the probe tells a game that hangs from one that reads, but does not answer") {
    Process game;
    game.start();
    const Socket silent;
    World world;
    world.open({game.port(), silent.port});
    std::string question;
    REQUIRE(world.until([&] { return world.says(game.port(), 0); }));
    CHECK_FALSE(world.does_not_read(game.port()));
    game.signal(SIGSTOP);
    const auto look = [&] {
        world.listen({game.port(), silent.port});
        (void)silent.await(question);
    };
    // A datagram may be there that has only just come.
    REQUIRE(world.until([&] {
        look();
        return world.does_not_read(game.port()) && !world.does_not_read(silent.port);
    }));
    game.signal(SIGCONT);
    REQUIRE(world.until([&] {
        look();
        return !world.does_not_read(game.port());
    }));
}

TEST_CASE("a game that falls silent keeps its old answer, and one that ends has none") {
    World world;
    {
        Process game;
        game.start();
        world.open({game.port()});
        REQUIRE(world.until([&] { return world.says(game.port(), 0); }));
        game.signal(SIGSTOP);
        const auto asked = world.answer(game.port())->asked;
        REQUIRE(world.until([&] { return since_boot() > asked + milliseconds(1000); }));
        CHECK(world.answer(game.port())->asked <= asked + milliseconds(300));
        game.signal(SIGCONT);
        REQUIRE(world.until([&] { return world.answer(game.port())->asked > asked + milliseconds(1000); }));
        world.listen({});
        REQUIRE(world.until([&] { return !world.answer(game.port()); }));
    }
}

TEST_CASE("answers from another port than the one that was asked are ignored") {
    const Socket game;
    const Socket liar;
    World world;
    world.open({game.port});
    std::string question;
    sockaddr_in asker{};
    REQUIRE(world.until([&] {
        asker = game.await(question);
        return !question.empty();
    }));
    for (int i = 0; i < 5; ++i) liar.send(info(0), asker);
    REQUIRE(world.until([&] {
        liar.send(info(0), asker);
        (void)game.await(question);
        return !question.empty();
    }));
    CHECK_FALSE(world.answer(game.port));
    game.send(info(5), asker);
    CHECK(world.until([&] { return world.says(game.port, 5); }));
}

TEST_CASE("what the probe did not read in time is not taken for the answer to its next question") {
    const Socket game;
    World world;
    world.open({game.port});
    std::string question;
    sockaddr_in asker{};
    REQUIRE(world.until([&] {
        asker = game.await(question);
        return !question.empty();
    }));
    game.send(info(1), asker);
    const auto sent = since_boot();
    // Longer than it waits for an answer: as if it had been stopped.
    ::usleep(400'000);
    REQUIRE(world.until([&] { return world.says(game.port, 1); }));
    CHECK(world.answer(game.port)->asked <= sent);
}

TEST_CASE("in a flood of datagrams the probe goes on asking, and reports nothing that was not said") {
    Process game;
    game.start({"-maxplayers", "8", "+standin_players", "4"});
    const Socket silent;
    const Socket liar;
    World world;
    world.open({game.port(), silent.port});
    std::string question;
    sockaddr_in asker{};
    REQUIRE(world.until([&] {
        asker = silent.await(question);
        return !question.empty();
    }));
    REQUIRE(world.until([&] { return world.says(game.port(), 4); }));
    const auto end = since_boot() + milliseconds(1500);
    while (since_boot() < end) {
        for (int i = 0; i < 2000; ++i) {
            const std::string bytes = info(0);
            (void)::sendto(liar.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT,
                           reinterpret_cast<const sockaddr*>(&asker), sizeof asker);
        }
        REQUIRE(world.asking->step(milliseconds(1)));
        CHECK(world.says(game.port(), 4));
        CHECK_FALSE(world.answer(silent.port));
    }
    REQUIRE(world.until([&] { return world.answer(game.port())->asked > end; }));
}

TEST_CASE("the probe works in its confinement") {
    Process game;
    game.start({"-maxplayers", "8", "+standin_players", "3"});
    World world;
    world.open({game.port()});
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (!confine(Confinement::BoundSockets)) ::_exit(1);
        while (world.asking->step()) {
        }
        ::_exit(2);
    }
    const auto end = since_boot() + milliseconds(60'000);
    while (!world.says(game.port(), 3) && since_boot() < end) ::usleep(20'000);
    CHECK(world.says(game.port(), 3));
    tell(game, "standin_players 0");
    while (!world.says(game.port(), 0) && since_boot() < end) ::usleep(20'000);
    CHECK(world.says(game.port(), 0));
    CHECK(world.watch->drain());
    int status = 0;
    CHECK(::waitpid(child, &status, WNOHANG) == 0);
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    CHECK(WIFSIGNALED(status));
}
