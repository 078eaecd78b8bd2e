// Turns of servers against real stand-ins on the loopback address.
#include "turn/turn.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <exception>
#include <fstream>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "../standin/process.hpp"
#include "adapters/since_boot.hpp"
#include "support/catch.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using standin::testing::Process;
using turn::Time;

namespace {

/// No game listens there: the discard service.
constexpr std::uint16_t silent = 9;

struct Boot {
    Boot() { std::filesystem::create_directory(settings.turns); }

    /// For whom it had to wait at last, or what went wrong.
    std::string start(const std::string& server, std::uint16_t port) const {
        std::string waited;
        const auto done =
            turn::take_turn(settings, server, port, [&](const std::string& others) { waited = others; });
        return done ? waited : done.error();
    }

    bool waits(const std::string& server) const {
        return std::filesystem::exists(settings.turns / (".waiting." + server));
    }

    test::Scratch scratch;
    turn::Settings settings{.turns = scratch.path() / "turns",
                            .most = 1,
                            .longest = Time(3'600'000),
                            .gather = Time(0),
                            .interval = Time(100)};
};

std::uint16_t port_of(const Process& game) { return static_cast<std::uint16_t>(game.port()); }

}  // namespace

TEST_CASE("as many servers as may come up at the same time do not wait") {
    Boot boot;
    boot.settings.most = 3;
    for (const char* server : {"a", "b", "c"}) CHECK(boot.start(server, silent).empty());
    boot.settings.longest = Time(0);
    CHECK(boot.start("d", silent).empty());
}

TEST_CASE("the next server waits until the game of one has answered") {
    Boot boot;
    Process game;
    CHECK(boot.start("a", port_of(game)).empty());
    std::atomic<bool> through = false;
    std::string waited;
    std::thread next([&] {
        waited = boot.start("b", silent);
        through = true;
    });
    std::this_thread::sleep_for(Time(500));
    CHECK_FALSE(through);
    game.start();
    next.join();
    CHECK(waited == "a");
}

TEST_CASE("a server waits no longer than a while for one that does not answer") {
    Boot boot;
    boot.settings.longest = Time(2000);
    const Time begun = since_boot();
    CHECK(boot.start("a", silent).empty());
    CHECK(boot.start("b", silent) == "a");
    CHECK(since_boot() - begun >= boot.settings.longest);
}

TEST_CASE("a server that has had its turn since the boot does not wait again") {
    Boot boot;
    CHECK(boot.start("a", silent).empty());
    CHECK(boot.start("a", silent).empty());
}

TEST_CASE("a server that crashes while it comes up keeps nobody waiting") {
    Boot boot;
    CHECK(boot.start("a", silent).empty());
    CHECK(boot.start("a", silent).empty());
    CHECK(boot.start("b", silent).empty());
}

TEST_CASE("a server that is killed while it waits keeps nobody waiting") {
    Boot boot;
    CHECK(boot.start("a", silent).empty());
    const pid_t killed = ::fork();
    if (killed == 0) {
        (void)turn::take_turn(boot.settings, "b", silent, [&](const std::string&) {
            std::ofstream(boot.scratch.path() / "waits") << "yes";
        });
        ::_exit(0);
    }
    while (!std::filesystem::exists(boot.scratch.path() / "waits")) std::this_thread::sleep_for(Time(10));
    REQUIRE(::kill(killed, SIGKILL) == 0);
    REQUIRE(::waitpid(killed, nullptr, 0) == killed);
    boot.settings.longest = Time(0);
    CHECK(boot.start("c", silent).empty());
    CHECK_FALSE(std::filesystem::exists(boot.settings.turns / "b"));
}

TEST_CASE("all of many servers come up, one after the other") {
    Boot boot;
    constexpr int count = 8;
    std::vector<Process> games(count);
    std::vector<std::thread> servers;
    std::atomic<int> coming = 0;
    std::atomic<int> most = 0;
    std::atomic<int> failed = 0;
    for (int i = 0; i < count; ++i) {
        servers.emplace_back([&, i] {
            (void)boot.start("server-" + std::to_string(i), port_of(games[static_cast<std::size_t>(i)]));
            const int now = ++coming;
            if (now > most) most = now;
            std::this_thread::sleep_for(Time(50));
            --coming;
            try {
                games[static_cast<std::size_t>(i)].start();
            } catch (const std::exception&) {
                ++failed;
            }
        });
    }
    for (std::thread& one : servers) one.join();
    CHECK(most == 1);
    CHECK(failed == 0);
}

TEST_CASE("those who wait have their turns in the order of their names") {
    Boot boot;
    Process game;
    CHECK(boot.start("first", port_of(game)).empty());
    std::mutex mutex;
    std::map<std::string, std::string> after;  // the server that was coming up when one was at the head
    const auto is_told = [&](const std::string& server) {
        const std::lock_guard lock(mutex);
        return after.contains(server);
    };
    std::vector<std::thread> servers;
    for (const char* server : {"c", "e", "b", "a", "d"}) {
        servers.emplace_back([&, server] {
            (void)turn::take_turn(boot.settings, server, port_of(game),
                                  [&, server](const std::string& others) {
                                      const std::lock_guard lock(mutex);
                                      after[server] = others;
                                  });
        });
        // The first of them is at the head, and no one who comes later overtakes him.
        while (!is_told(server)) std::this_thread::sleep_for(Time(1));
    }
    game.start();
    for (std::thread& one : servers) one.join();
    CHECK(after ==
          std::map<std::string, std::string>{{"c", "first"}, {"a", "c"}, {"b", "a"}, {"d", "b"}, {"e", "d"}});
}

TEST_CASE("those who come at the same time are put in order first") {
    Boot boot;
    boot.settings.gather = boot.settings.longest = Time(3000);
    std::string waited;
    std::thread late([&] { waited = boot.start("b", silent); });
    while (!boot.waits("b")) std::this_thread::sleep_for(Time(1));
    CHECK(boot.start("a", silent).empty());
    late.join();
    CHECK(waited == "a");
}

TEST_CASE("what stands in the directory besides is nobody's turn") {
    Boot boot;
    std::ofstream(boot.settings.turns / "garbage") << "27015 soon";
    std::ofstream(boot.settings.turns / "over");
    std::ofstream(boot.settings.turns / ".temporary") << "27015 " << since_boot().count();
    std::filesystem::create_directory(boot.settings.turns / "directory");
    CHECK(boot.start("a", silent).empty());
}

TEST_CASE("without its directory, a server is not held and learns why") {
    Boot boot;
    std::filesystem::remove(boot.settings.turns);
    const auto done = turn::take_turn(boot.settings, "a", silent, [](const std::string&) {});
    REQUIRE_FALSE(done);
    CHECK(done.error().find("turns") != std::string::npos);
}
