// The promises of left4me-overlay, on the running kernel, with both mount APIs.
#include "privileged/overlay/overlay.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>

#include "support/waiting_child.hpp"
#include "world.hpp"

using namespace left4me;
using namespace left4me::overlay;

namespace {

/// A child that stays in a directory until it is killed.
struct Sitter : test::WaitingChild {
    explicit Sitter(const std::string& directory)
        : WaitingChild([&directory] { return ::chdir(directory.c_str()) == 0; }) {}
};

struct stat stat_of(const std::string& path) {
    struct stat status{};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status;
}

/// Mounts comp1 with a legitimate stack of that many layers, with one API and with the other.
struct MountedWorld : World {
    MountApi api = either_mount_api();

    explicit MountedWorld(std::size_t layers) {
        (void)legitimate("comp1", digest_a, layers);
        REQUIRE(mount_server(settings, "comp1", api));
    }
};

}  // namespace

TEST_CASE("a rendering is mounted with its whole stack, and the game sees the rendered file") {
    const MountApi api = either_mount_api();
    World world;
    const auto layers = world.legitimate("comp1", digest_a, 4);
    world.file("overlays/o2/0123456789abcdef/left4dead2/cfg/server.cfg", "shadowed");
    world.file("overlays/o2/0123456789abcdef/left4dead2/addons/a.vpk", "upper overlay");
    world.file("overlays/o3/0123456789abcdef/left4dead2/addons/a.vpk", "lower overlay");

    REQUIRE(mount_server(world.settings, "comp1", api));
    CHECK(world.mounted("comp1") == layers);
    CHECK(world.read("runtime/comp1/merged/left4dead2/cfg/server.cfg") ==
          std::string("rendered ") + digest_a);
    CHECK(world.read("runtime/comp1/merged/left4dead2/addons/a.vpk") == "upper overlay");
    CHECK(world.read("runtime/comp1/merged/srcds_run") == "the game");
    CHECK(std::filesystem::read_symlink(world.path("runtime/comp1/rendering")) ==
          std::string("../../instances/comp1/") + digest_a);

    REQUIRE(umount_server(world.settings, "comp1"));
    CHECK(world.mounts("comp1") == 0);
}

TEST_CASE("upper belongs to the game's user, everything around it to root") {
    const MountedWorld world(2);
    const auto upper = stat_of(world.path("runtime/comp1/upper"));
    CHECK(upper.st_uid == 1234);
    CHECK(upper.st_gid == 1234);
    CHECK((upper.st_mode & 07777U) == 02770U);
    const auto merged = stat_of(world.path("runtime/comp1/merged"));
    CHECK(merged.st_uid == 1234);
    CHECK((merged.st_mode & 07777U) == 02770U);
    for (const char* name : {"runtime", "runtime/comp1", "runtime/comp1/work", "runtime/comp1/rendering"}) {
        CHECK(stat_of(world.path(name)).st_uid == 0);
    }
    // The game's writes end up in upper and nowhere else.
    world.file("runtime/comp1/merged/left4dead2/logs/today.log", "joined");
    CHECK(world.read("runtime/comp1/upper/left4dead2/logs/today.log") == "joined");
    CHECK_FALSE(world.exists("installation/left4dead2"));
}

TEST_CASE("set-user-ID programs and devices of a layer have no effect in the merged tree") {
    const MountedWorld world(2);
    struct statvfs status{};
    REQUIRE(::statvfs(world.path("runtime/comp1/merged").c_str(), &status) == 0);
    CHECK((status.f_flag & ST_NOSUID) != 0);
    CHECK((status.f_flag & ST_NODEV) != 0);
}

TEST_CASE("mounting again changes nothing") {
    const MountedWorld world(3);
    const auto device = stat_of(world.path("runtime/comp1/merged")).st_dev;
    const Sitter game(world.path("runtime/comp1/merged"));
    REQUIRE(mount_server(world.settings, "comp1", world.api));
    CHECK(stat_of(world.path("runtime/comp1/merged")).st_dev == device);
    CHECK(world.mounts("comp1") == 1);
}

TEST_CASE("a lost rendering link is restored even if the stack is mounted") {
    const MountedWorld world(2);
    world.remove("runtime/comp1/rendering");
    world.symlink("runtime/comp1/rendering", "/etc");
    world.symlink("runtime/comp1/.rendering", "left by a killed run");
    REQUIRE(mount_server(world.settings, "comp1", world.api));
    CHECK(std::filesystem::read_symlink(world.path("runtime/comp1/rendering")) ==
          std::string("../../instances/comp1/") + digest_a);
}

TEST_CASE("another rendering replaces the mount, and the game's files stay") {
    const MountedWorld world(3);
    world.file("runtime/comp1/merged/left4dead2/cfg/banned_user.cfg", "banned");
    const auto layers = world.legitimate("comp1", digest_b, 5);
    REQUIRE(mount_server(world.settings, "comp1", world.api));
    CHECK(world.mounted("comp1") == layers);
    CHECK(world.mounts("comp1") == 1);
    CHECK(world.read("runtime/comp1/merged/left4dead2/cfg/banned_user.cfg") == "banned");
    CHECK(world.read("runtime/comp1/merged/left4dead2/cfg/server.cfg") ==
          std::string("rendered ") + digest_b);
}

TEST_CASE("an overlay mounted with the other API or by hand, or a foreign mount, is replaced") {
    const MountApi api = either_mount_api();
    World world;
    const auto layers = world.legitimate("comp1", digest_a, 3);
    REQUIRE(mount_server(world.settings, "comp1",
                         api == MountApi::Context ? MountApi::Options : MountApi::Context));
    REQUIRE(mount_server(world.settings, "comp1", api));  // the same stack: nothing to do
    CHECK(world.mounted("comp1") == layers);
    REQUIRE(umount_server(world.settings, "comp1"));

    const std::string merged = world.path("runtime/comp1/merged");
    REQUIRE(::mount("tmpfs", merged.c_str(), "tmpfs", 0, nullptr) == 0);
    REQUIRE(mount_server(world.settings, "comp1", api));
    CHECK(world.mounted("comp1") == layers);
    CHECK(world.mounts("comp1") == 1);
    REQUIRE(umount_server(world.settings, "comp1"));

    // The right layers above another upper directory are not our mount.
    world.directory("else/upper");
    world.directory("else/work");
    std::string data = "lowerdir=";
    for (const std::string& layer : layers) data += (data.back() == '=' ? "" : ":") + world.path(layer);
    data += ",upperdir=" + world.path("else/upper") + ",workdir=" + world.path("else/work");
    REQUIRE(::mount("overlay", merged.c_str(), "overlay", 0, data.c_str()) == 0);
    CHECK(world.mounted("comp1") == layers);
    REQUIRE(mount_server(world.settings, "comp1", api));
    world.file("runtime/comp1/merged/mine", "");
    CHECK(world.exists("runtime/comp1/upper/mine"));
}

TEST_CASE("umount is idempotent and removes stacked mounts") {
    const MountApi api = either_mount_api();
    World world;
    CHECK(umount_server(world.settings, "comp1"));  // no runtime at all
    CHECK_FALSE(world.exists("runtime/comp1"));
    world.legitimate("comp1", digest_a, 2);
    REQUIRE(mount_server(world.settings, "comp1", api));
    const std::string merged = world.path("runtime/comp1/merged");
    REQUIRE(::mount("tmpfs", merged.c_str(), "tmpfs", 0, nullptr) == 0);
    REQUIRE(::mount("tmpfs", merged.c_str(), "tmpfs", 0, nullptr) == 0);
    CHECK(world.mounts("comp1") == 3);
    CHECK(umount_server(world.settings, "comp1"));
    CHECK(world.mounts("comp1") == 0);
    CHECK(umount_server(world.settings, "comp1"));
}

TEST_CASE("a busy mount is an error that names who holds it, and stays as it was") {
    const MountApi api = either_mount_api();
    World world;
    const auto layers = world.legitimate("comp1", digest_a, 2);
    REQUIRE(mount_server(world.settings, "comp1", api));
    Sitter sitter(world.path("runtime/comp1/merged"));
    const std::string pid = "(pid " + std::to_string(sitter.pid()) + ": working directory)";
    check_failed(umount_server(world.settings, "comp1"), Failure::Busy, pid);

    world.legitimate("comp1", digest_b, 3);
    check_failed(mount_server(world.settings, "comp1", api), Failure::Busy, pid);
    CHECK(world.mounted("comp1") == layers);
    sitter.end();
    CHECK(mount_server(world.settings, "comp1", api));
}

TEST_CASE("an open file is named as the reason for a busy mount") {
    World world;
    world.legitimate("comp1", digest_a, 2);
    REQUIRE(mount_server(world.settings, "comp1", MountApi::Context));
    {
        const Fd open(::open(world.path("runtime/comp1/merged/srcds_run").c_str(), O_RDONLY));
        REQUIRE(open);
        check_failed(
            umount_server(world.settings, "comp1"), Failure::Busy,
            "(pid " + std::to_string(::getpid()) + ": descriptor " + std::to_string(open.get()) + ")");
    }
    CHECK(umount_server(world.settings, "comp1"));
}

TEST_CASE("two concurrent mounts of one server give one mount") {
    const MountApi api = either_mount_api();
    World world;
    world.legitimate("comp1", digest_a, 3);
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(mount_server(world.settings, "comp1", api) ? 0 : 1);
        children.push_back(child);
    }
    for (const pid_t child : children) {
        int status = 0;
        ::waitpid(child, &status, 0);
        CHECK(status == 0);
    }
    CHECK(world.mounts("comp1") == 1);
}

TEST_CASE("servers that share layers are mounted side by side") {
    const MountApi api = either_mount_api();
    World world;
    for (const char* server : {"comp1", "comp2", "comp3"}) {
        world.legitimate(server, digest_a, 6);
        REQUIRE(mount_server(world.settings, server, api));
    }
    world.file("runtime/comp1/merged/only-here", "");
    CHECK_FALSE(world.exists("runtime/comp2/merged/only-here"));
}

TEST_CASE("the working directory of the caller does not change") {
    const MountApi api = either_mount_api();
    World world;
    const auto before = std::filesystem::current_path();
    world.legitimate("comp1", digest_a, 2);
    REQUIRE(mount_server(world.settings, "comp1", api));
    REQUIRE(umount_server(world.settings, "comp1"));
    CHECK(std::filesystem::current_path() == before);
}

TEST_CASE("a state directory reached through a symlink is the same place") {
    const MountApi api = either_mount_api();
    World world;
    const auto layers = world.legitimate("comp1", digest_a, 3);
    world.symlink("link", ".");
    OverlaySettings settings = world.settings;
    settings.state = world.path("link");
    REQUIRE(mount_server(settings, "comp1", api));
    CHECK(world.mounted("comp1") == layers);
    REQUIRE(mount_server(world.settings, "comp1", api));
    CHECK(world.mounts("comp1") == 1);
}
