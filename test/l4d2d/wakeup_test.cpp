#include "l4d2d/wakeup.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>

#include "adapters/fd.hpp"
#include "support/catch.hpp"

using namespace left4me;

namespace {

struct Pipe {
    Fd read;
    Fd write;

    Pipe() {
        std::array<int, 2> ends{};
        REQUIRE(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) == 0);
        read = Fd(ends[0]);
        write = Fd(ends[1]);
    }
    Readiness readiness() const { return {.fd = read.get(), .events = POLLIN, .timeout = {}}; }
    void say() const { REQUIRE(::write(write.get(), "x", 1) == 1); }
};

struct Site {
    boost::asio::io_context io;
    int woken = 0;
    Wakeup wakeup{io, [this] { ++woken; }};

    int poll() {
        io.restart();
        io.poll();
        return woken;
    }
};

}  // namespace

TEST_CASE("A descriptor that is ready wakes once for each time it is armed", "[wakeup]") {
    const Pipe pipe;
    Site site;
    site.wakeup.arm(pipe.readiness());
    CHECK(site.poll() == 0);
    pipe.say();
    CHECK(site.poll() == 1);
    CHECK(site.poll() == 1);
    // Still readable: nobody has read it.
    site.wakeup.arm(pipe.readiness());
    CHECK(site.poll() == 2);
}

TEST_CASE("Arming twice wakes once", "[wakeup]") {
    const Pipe pipe;
    Site site;
    site.wakeup.arm(pipe.readiness());
    site.wakeup.arm(pipe.readiness());
    pipe.say();
    CHECK(site.poll() == 1);
}

TEST_CASE("a descriptor that its owner reopened under the same number is watched", "[wakeup]") {
    Site site;
    // All eventfds share one inode, and so do all inotify instances.
    const Fd mine(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    const int number = mine.get();
    site.wakeup.arm({.fd = number, .events = POLLIN, .timeout = {}, .instance = 1});
    const Fd next(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    // The old one is ready and nobody will ever read it.
    REQUIRE(eventfd_write(number, 1) == 0);
    REQUIRE(::dup3(next.get(), number, O_CLOEXEC) == number);
    site.wakeup.arm({.fd = number, .events = POLLIN, .timeout = {}, .instance = 2});
    CHECK(site.poll() == 0);
    REQUIRE(eventfd_write(next.get(), 1) == 0);
    CHECK(site.poll() == 1);
}

TEST_CASE("without a descriptor there is no wake-up", "[wakeup]") {
    Site site;
    site.wakeup.arm({});
    CHECK(site.poll() == 0);
}
