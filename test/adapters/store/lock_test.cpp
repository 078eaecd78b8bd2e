#include "adapters/store/lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <future>
#include <thread>

#include "adapters/store/store.hpp"
#include "place.hpp"

using namespace left4me;

TEST_CASE("a second pass waits and says who holds the lock") {
    const Place place;
    auto first = PassLock::acquire(place.paths, "l4d2ctl reconcile", nullptr);
    REQUIRE(first);
    std::promise<std::string> told;
    std::atomic<bool> got = false;
    std::thread second([&] {
        const auto lock =
            PassLock::acquire(place.paths, "timer", [&](const std::string& who) { told.set_value(who); });
        got = lock.has_value();
    });
    const std::string holder = told.get_future().get();
    CHECK_FALSE(got);
    {
        const PassLock gone = std::move(*first);
    }
    second.join();
    CHECK(got);
    CHECK(holder == "l4d2ctl reconcile, pid " + std::to_string(::getpid()));
    CHECK(place.read("run/lock") == "timer, pid " + std::to_string(::getpid()) + "\n");
}

TEST_CASE("the name of a killed holder is not reported as the current holder") {
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

TEST_CASE("a free lock is taken silently") {
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
    REQUIRE(child >= 0);
    if (child == 0) {
        const auto lock = PassLock::acquire(place.paths, "doomed", nullptr);
        (void)!::write(ready[1], "x", 1);
        while (true) ::pause();
    }
    ::close(ready[1]);
    char byte = 0;
    REQUIRE(::read(ready[0], &byte, 1) == 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    CHECK(PassLock::acquire(place.paths, "next", nullptr));
}

TEST_CASE("a lock of another user is an error with the remedy") {
    if (::geteuid() != 0) return;  // only root can switch users
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

TEST_CASE("a lock file is accessible only to its owner, even if an earlier version left it open to all") {
    const Place place;
    place.file("run/lock", "");
    REQUIRE(::chmod(place.path("run/lock").c_str(), 0666) == 0);
    for (const char* const name : {"run/lock", "run/source.lock"}) {
        INFO(name);
        const bool edit = name != std::string("run/lock");
        REQUIRE((edit ? PassLock::acquire_for_edit(place.paths, "an edit", nullptr)
                      : PassLock::acquire(place.paths, "a pass", nullptr))
                    .has_value());
        struct stat status{};
        REQUIRE(::stat(place.path(name).c_str(), &status) == 0);
        CHECK((status.st_mode & 07777U) == 0600U);
    }
}

TEST_CASE("locking an overlay's directory does not block builds") {
    const Place place;
    place.directory("overlays/maps");
    const int directory = ::open(place.path("overlays/maps").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(::flock(directory, LOCK_EX) == 0);
    const InlineSource source = inline_source({{"left4dead2/cfg/a.cfg", "b"}});
    const std::string digest = wanted(place, source);
    Store store(place.paths);
    auto built = std::async(std::launch::async, [&] { return store.build("maps", source, digest); });
    CHECK(built.wait_for(std::chrono::seconds(20)) == std::future_status::ready);
    ::close(directory);
    CHECK(built.get());
    CHECK(place.exists("overlays/maps/" + digest));
}
