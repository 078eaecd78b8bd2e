#include "adapters/watch/mount_watch.hpp"

#include <sys/epoll.h>
#include <sys/mount.h>
#include <unistd.h>

#include "support/catch.hpp"
#include "support/own_mounts.hpp"
#include "support/scratch.hpp"

using namespace left4me;

TEST_CASE("A mount and an unmount are each noticed once", "[watch][root]") {
    left4me::test::Scratch scratch;
    const bool apart = left4me::test::enter_own_mounts();
    MountWatch watch("/proc/self/mountinfo");
    // Like an event loop: a waiter is notified, and a later poll is too.
    const Fd epoll(epoll_create1(EPOLL_CLOEXEC));
    epoll_event event{.events = EPOLLPRI, .data = {}};
    REQUIRE(epoll_ctl(epoll.get(), EPOLL_CTL_ADD, watch.readiness().fd, &event) == 0);
    if (!apart || mount("tmpfs", scratch.path().c_str(), "tmpfs", 0, nullptr) != 0) {
        WARN("not allowed to mount: not tested");
        return;
    }
    CHECK(epoll_wait(epoll.get(), &event, 1, 0) == 1);
    CHECK(watch.drain());
    CHECK_FALSE(watch.drain());
    REQUIRE(umount(scratch.path().c_str()) == 0);
    CHECK(epoll_wait(epoll.get(), &event, 1, 0) == 1);
    CHECK(watch.drain());
}

TEST_CASE("a mount table that cannot be opened causes no wake-up", "[watch]") {
    MountWatch watch("/nonexistent/mountinfo");
    CHECK(watch.readiness().fd == -1);
    CHECK_FALSE(watch.drain());
}
