// left4me-overlay attach: what is remounted after somebody unmounted it under a running game, and what is
// not.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "privileged/overlay/overlay.hpp"
#include "support/waiting_child.hpp"
#include "world.hpp"

using namespace left4me;
using namespace left4me::overlay;

namespace {

/// A process in namespaces of its own, as the sandbox makes them, until it is killed.
class GameProcess : public test::WaitingChild {
  public:
    explicit GameProcess(int namespaces = CLONE_NEWNS)
        : WaitingChild([namespaces] { return namespaces == 0 || test::enter_namespaces(namespaces); }) {}

    FindGame found() const {
        return [pid = pid()](const std::string&) { return open_game(pid, own_cgroup()); };
    }

    static std::string own_cgroup() {
        std::ifstream lines("/proc/self/cgroup");
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with("0::")) return line.substr(3);
        }
        FAIL("no cgroup");
        return {};
    }
};

/// comp1 is mounted, its game has started, and somebody unmounts it.
struct UnmountedWorld : World {
    std::vector<std::string> layers = legitimate("comp1", digest_a, 4);
    dev_t device = 0;
    GameProcess game;

    explicit UnmountedWorld(int flags = 0, int namespaces = CLONE_NEWNS) : device(mount()), game(namespaces) {
        REQUIRE(::umount2(path("runtime/comp1/merged").c_str(), flags) == 0);
        REQUIRE(mounts("comp1") == 0);
    }
    dev_t mount() const {
        REQUIRE(mount_server(settings, "comp1", best_mount_api()));
        return device_of_merged();
    }
    dev_t device_of_merged() const {
        struct stat status{};
        REQUIRE(::stat(path("runtime/comp1/merged").c_str(), &status) == 0);
        return status.st_dev;
    }
    Result<Attached> attach() const { return attach_server(settings, "comp1", game.found()); }
    void check_refused(Failure failure, const std::string& words) const {
        const auto attached = attach();
        REQUIRE_FALSE(attached);
        CHECK(attached.error().failure == failure);
        INFO(attached.error().message);
        CHECK(attached.error().message.find(words) != std::string::npos);
        CHECK(mounts("comp1") == 0);
    }
};

}  // namespace

TEST_CASE("an overlay that the running game still has is remounted, and it is the same file system") {
    const UnmountedWorld world(GENERATE(0, MNT_DETACH));
    CHECK(world.attach() == Attached::Done);
    CHECK(world.mounts("comp1") == 1);
    CHECK(world.mounted("comp1") == world.layers);
    CHECK(world.device_of_merged() == world.device);
    // As if it had never been away: it can be unmounted while the game runs, and attached again.
    REQUIRE(umount_server(world.settings, "comp1"));
    CHECK(world.mounts("comp1") == 0);
    CHECK(world.attach() == Attached::Done);
    CHECK(world.mounted("comp1") == world.layers);
}

TEST_CASE("an existing mount stays, whatever it is") {
    const UnmountedWorld world;
    REQUIRE(::mount("tmpfs", world.path("runtime/comp1/merged").c_str(), "tmpfs", 0, nullptr) == 0);
    CHECK(world.attach() == Attached::WasMounted);
    CHECK(world.mounts("comp1") == 1);
    CHECK(world.mounted("comp1") != world.layers);
}

TEST_CASE("a server that does not run has nothing to attach, which is not an error") {
    UnmountedWorld world;
    CHECK(attach_server(world.settings, "never-seen", world.game.found()) == Attached::NotRunning);
    const FindGame found = world.game.found();
    world.game.end();
    CHECK(attach_server(world.settings, "comp1", found) == Attached::NotRunning);
    CHECK(world.mounts("comp1") == 0);
}

TEST_CASE("a game that ends while its overlay is attached leaves nothing mounted") {
    UnmountedWorld world;
    const FindGame ending = [&](const std::string&) {
        auto game = open_game(world.game.pid(), GameProcess::own_cgroup());
        world.game.end();
        return game;
    };
    CHECK(attach_server(world.settings, "comp1", ending) == Attached::NotRunning);
    CHECK(world.mounts("comp1") == 0);
}

TEST_CASE("a stack that the server was not started with is unmounted again and refused") {
    const UnmountedWorld world;
    (void)world.legitimate("comp1", digest_b, 3);
    world.remove("runtime/comp1/rendering");
    world.symlink("runtime/comp1/rendering", std::string("../../instances/comp1/") + digest_b);
    world.check_refused(Failure::Refused,
                        "the game has another stack (instances/comp1/aaaaaaaaaaaaaaaa/layer:");
}

TEST_CASE("if the rendering of the start is unknown, nothing stays attached") {
    const UnmountedWorld world;
    world.remove("runtime/comp1/rendering");
    world.check_refused(Failure::System, "runtime/comp1/rendering");
    world.symlink("runtime/comp1/rendering", "../../instances/other/aaaaaaaaaaaaaaaa");
    world.check_refused(Failure::Refused, "does not lead to a rendering of this server");
}

TEST_CASE("if the game's namespace has no overlay, nothing is attached") {
    const UnmountedWorld world;
    const GameProcess later;
    const auto attached = attach_server(world.settings, "comp1", later.found());
    REQUIRE_FALSE(attached);
    CHECK(attached.error().failure == Failure::NotRendered);
    CHECK(world.mounts("comp1") == 0);
}

TEST_CASE("a process that is still in the host's mount namespace is not joined") {
    const UnmountedWorld world(0, 0);
    world.check_refused(Failure::System, "has no mount namespace of its own");
}

TEST_CASE("a mount namespace that the game could have created itself is not trusted") {
    const UnmountedWorld world(MNT_DETACH, CLONE_NEWUSER | CLONE_NEWNS);
    world.check_refused(Failure::Refused, "was not created by root");
}

TEST_CASE("a process that is not in the unit's cgroup is refused") {
    const GameProcess game;
    const auto opened = open_game(game.pid(), "/system.slice/left4me-server@comp1.service");
    REQUIRE_FALSE(opened);
    CHECK(opened.error().failure == Failure::Refused);
    CHECK(opened.error().message.find("is not in the unit's cgroup") != std::string::npos);
}

TEST_CASE("however a stop and an attach overlap, nothing stays mounted") {
    int attached = 0;
    // On a busy machine an attach needs longer pauses.
    for (useconds_t pause = 20; pause < 100'000 || (attached == 0 && pause < 5'000'000);
         pause += pause / 4 + 1) {
        UnmountedWorld world(MNT_DETACH);
        const pid_t attacher = ::fork();
        REQUIRE(attacher >= 0);
        if (attacher == 0) {
            const auto done = world.attach();
            ::_exit(!done ? 2 : *done == Attached::Done ? 0 : 1);
        }
        std::this_thread::sleep_for(std::chrono::microseconds(pause));
        // As in systemd: the process exits first, then the unit's own umount runs.
        world.game.end();
        REQUIRE(umount_server(world.settings, "comp1"));
        int status = 0;
        REQUIRE(::waitpid(attacher, &status, 0) == attacher);
        REQUIRE(WIFEXITED(status));
        CHECK(WEXITSTATUS(status) != 2);
        if (WEXITSTATUS(status) == 0) ++attached;
        CHECK(world.mounts("comp1") == 0);
    }
    CHECK(attached > 0);
}
