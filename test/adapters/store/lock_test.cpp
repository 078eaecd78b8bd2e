#include "adapters/store/lock.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <future>
#include <thread>

#include "place.hpp"

using namespace left4me;

TEST_CASE("a second pass waits and is told who holds the lock") {
    const Place place;
    auto first = PassLock::acquire(place.paths, "l4d2ctl reconcile", nullptr);
    REQUIRE(first);
    std::string holder;
    bool got = false;
    std::thread second([&] {
        const auto lock =
            PassLock::acquire(place.paths, "timer", [&](const std::string& who) { holder = who; });
        got = lock.has_value();
    });
    while (holder.empty()) std::this_thread::yield();
    CHECK_FALSE(got);
    {
        const PassLock gone = std::move(*first);
    }
    second.join();
    CHECK(got);
    CHECK(holder == "l4d2ctl reconcile, pid " + std::to_string(::getpid()));
    CHECK(place.read("run/lock") == "timer, pid " + std::to_string(::getpid()) + "\n");
}

TEST_CASE("the words of a killed pass are not taken for those of the holder") {
    const Place place;
    auto first = PassLock::acquire(place.paths, "doomed", nullptr);
    REQUIRE(first);
    place.file("run/lock", "l4d2ctl reconcile, pid 1\n");
    std::promise<std::string> holder;
    std::thread second([&] {
        (void)PassLock::acquire(place.paths, "timer", [&](const std::string& who) { holder.set_value(who); });
    });
    const std::string told = holder.get_future().get();
    {
        const PassLock gone = std::move(*first);
    }
    second.join();
    CHECK(told == "pid " + std::to_string(::getpid()));
}

TEST_CASE("a free lock is taken without a word") {
    const Place place;
    for (int i = 0; i < 3; ++i) {
        CHECK(PassLock::acquire(place.paths, "a pass", [](const std::string&) { FAIL("nobody holds it"); }));
    }
}

TEST_CASE("the lock of a killed pass is free") {
    const Place place;
    std::array<int, 2> ready{};
    REQUIRE(::pipe(ready.data()) == 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto lock = PassLock::acquire(place.paths, "doomed", nullptr);
        (void)!::write(ready[1], "x", 1);
        while (true) ::pause();
    }
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK(PassLock::acquire(place.paths, "next", nullptr));
}

TEST_CASE("a lock of another user is an error with the remedy") {
    const Place place;
    {
        REQUIRE(PassLock::acquire(place.paths, "owner", nullptr));
    }
    ::chmod(place.path("").c_str(), 0755);
    REQUIRE(::seteuid(65534) == 0);
    const auto lock = PassLock::acquire(place.paths, "stranger", nullptr);
    REQUIRE(::seteuid(0) == 0);
    REQUIRE_FALSE(lock);
    CHECK(lock.error() ==
          place.path("run/lock") + " belongs to another user; run this as root or as left4me");
}
