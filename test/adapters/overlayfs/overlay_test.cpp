// What left4me-overlay promises, on the running kernel, in both ways of mounting.
#include "privileged/overlay/overlay.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>

#include "world.hpp"

using namespace left4me;
using namespace left4me::overlay;

namespace {

/// A child that sits in a directory until it is killed.
class Sitter {
  public:
    explicit Sitter(const std::string& directory) {
        std::array<int, 2> ready{};
        REQUIRE(::pipe(ready.data()) == 0);
        child_ = ::fork();
        if (child_ == 0) {
            const char done = ::chdir(directory.c_str()) == 0 ? 'y' : 'n';
            (void)!::write(ready[1], &done, 1);
            while (true) ::pause();
        }
        char done = 0;
        REQUIRE(::read(ready[0], &done, 1) == 1);
        ::close(ready[0]);
        ::close(ready[1]);
        REQUIRE(done == 'y');
    }
    ~Sitter() { stop(); }
    Sitter(const Sitter&) = delete;
    Sitter& operator=(const Sitter&) = delete;

    pid_t pid() const { return child_; }
    void stop() {
        if (child_ <= 0) return;
        ::kill(child_, SIGKILL);
        ::waitpid(child_, nullptr, 0);
        child_ = -1;
    }

  private:
    pid_t child_ = -1;
};

struct stat stat_of(const std::string& path) {
    struct stat status{};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status;
}

/// Has comp1 mounted, with a legitimate stack of that many layers, in the one way and in the other.
struct MountedWorld : World {
    Way way = either_way();

    explicit MountedWorld(std::size_t layers) {
        (void)legitimate("comp1", generation_a, layers);
        REQUIRE(mount_server(site, "comp1", way));
    }
};

}  // namespace

TEST_CASE("a rendering is mounted with its whole stack, and the game sees the rendered file") {
    const Way way = either_way();
    World world;
    const auto layers = world.legitimate("comp1", generation_a, 4);
    world.file("overlays/o2/0123456789abcdef/left4dead2/cfg/server.cfg", "shadowed");
    world.file("overlays/o2/0123456789abcdef/left4dead2/addons/a.vpk", "upper overlay");
    world.file("overlays/o3/0123456789abcdef/left4dead2/addons/a.vpk", "lower overlay");

    REQUIRE(mount_server(world.site, "comp1", way));
    CHECK(world.mounted("comp1") == layers);
    CHECK(world.read("runtime/comp1/merged/left4dead2/cfg/server.cfg") ==
          std::string("rendered ") + generation_a);
    CHECK(world.read("runtime/comp1/merged/left4dead2/addons/a.vpk") == "upper overlay");
    CHECK(world.read("runtime/comp1/merged/srcds_run") == "the game");
    CHECK(std::filesystem::read_symlink(world.path("runtime/comp1/rendering")) ==
          std::string("../../instances/comp1/") + generation_a);

    REQUIRE(umount_server(world.site, "comp1"));
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
    // What the game writes lands in upper and nowhere else.
    world.file("runtime/comp1/merged/left4dead2/logs/today.log", "joined");
    CHECK(world.read("runtime/comp1/upper/left4dead2/logs/today.log") == "joined");
    CHECK_FALSE(world.exists("installation/left4dead2"));
}

TEST_CASE("set-user-ID programs and devices of a layer are dead in the merged tree") {
    const MountedWorld world(2);
    struct statvfs status{};
    REQUIRE(::statvfs(world.path("runtime/comp1/merged").c_str(), &status) == 0);
    CHECK((status.f_flag & ST_NOSUID) != 0);
    CHECK((status.f_flag & ST_NODEV) != 0);
}

TEST_CASE("mounting what is mounted already changes nothing") {
    const MountedWorld world(3);
    const auto device = stat_of(world.path("runtime/comp1/merged")).st_dev;
    const Sitter game(world.path("runtime/comp1/merged"));
    REQUIRE(mount_server(world.site, "comp1", world.way));
    CHECK(stat_of(world.path("runtime/comp1/merged")).st_dev == device);
    CHECK(world.mounts("comp1") == 1);
}

TEST_CASE("a lost rendering link is put back even if the stack is mounted") {
    const MountedWorld world(2);
    world.remove("runtime/comp1/rendering");
    world.symlink("runtime/comp1/rendering", "/etc");
    world.symlink("runtime/comp1/.rendering", "left by a killed run");
    REQUIRE(mount_server(world.site, "comp1", world.way));
    CHECK(std::filesystem::read_symlink(world.path("runtime/comp1/rendering")) ==
          std::string("../../instances/comp1/") + generation_a);
}

TEST_CASE("another rendering replaces the mount, and what the game wrote stays") {
    const MountedWorld world(3);
    world.file("runtime/comp1/merged/left4dead2/cfg/banned_user.cfg", "banned");
    const auto layers = world.legitimate("comp1", generation_b, 5);
    REQUIRE(mount_server(world.site, "comp1", world.way));
    CHECK(world.mounted("comp1") == layers);
    CHECK(world.mounts("comp1") == 1);
    CHECK(world.read("runtime/comp1/merged/left4dead2/cfg/banned_user.cfg") == "banned");
    CHECK(world.read("runtime/comp1/merged/left4dead2/cfg/server.cfg") ==
          std::string("rendered ") + generation_b);
}

TEST_CASE("an overlay mounted the other way, or by hand, or something foreign is replaced") {
    const Way way = either_way();
    World world;
    const auto layers = world.legitimate("comp1", generation_a, 3);
    REQUIRE(mount_server(world.site, "comp1", way == Way::Context ? Way::Options : Way::Context));
    REQUIRE(mount_server(world.site, "comp1", way));  // the same stack: nothing to do
    CHECK(world.mounted("comp1") == layers);
    REQUIRE(umount_server(world.site, "comp1"));

    const std::string merged = world.path("runtime/comp1/merged");
    REQUIRE(::mount("tmpfs", merged.c_str(), "tmpfs", 0, nullptr) == 0);
    REQUIRE(mount_server(world.site, "comp1", way));
    CHECK(world.mounted("comp1") == layers);
    CHECK(world.mounts("comp1") == 1);
    REQUIRE(umount_server(world.site, "comp1"));

    // The right layers above another upper directory are not our mount.
    world.directory("else/upper");
    world.directory("else/work");
    std::string data = "lowerdir=";
    for (const std::string& layer : layers) data += (data.back() == '=' ? "" : ":") + world.path(layer);
    data += ",upperdir=" + world.path("else/upper") + ",workdir=" + world.path("else/work");
    REQUIRE(::mount("overlay", merged.c_str(), "overlay", 0, data.c_str()) == 0);
    CHECK(world.mounted("comp1") == layers);
    REQUIRE(mount_server(world.site, "comp1", way));
    world.file("runtime/comp1/merged/mine", "");
    CHECK(world.exists("runtime/comp1/upper/mine"));
}

TEST_CASE("umount is idempotent and takes mounts on top of each other away") {
    const Way way = either_way();
    World world;
    CHECK(umount_server(world.site, "comp1"));  // no runtime at all
    CHECK_FALSE(world.exists("runtime/comp1"));
    world.legitimate("comp1", generation_a, 2);
    REQUIRE(mount_server(world.site, "comp1", way));
    const std::string merged = world.path("runtime/comp1/merged");
    REQUIRE(::mount("tmpfs", merged.c_str(), "tmpfs", 0, nullptr) == 0);
    REQUIRE(::mount("tmpfs", merged.c_str(), "tmpfs", 0, nullptr) == 0);
    CHECK(world.mounts("comp1") == 3);
    CHECK(umount_server(world.site, "comp1"));
    CHECK(world.mounts("comp1") == 0);
    CHECK(umount_server(world.site, "comp1"));
}

TEST_CASE("a busy mount is an error that names who holds it, and stays as it was") {
    const Way way = either_way();
    World world;
    const auto layers = world.legitimate("comp1", generation_a, 2);
    REQUIRE(mount_server(world.site, "comp1", way));
    Sitter sitter(world.path("runtime/comp1/merged"));
    const std::string pid = "(pid " + std::to_string(sitter.pid()) + ": working directory)";
    check_failed(umount_server(world.site, "comp1"), Failure::Busy, pid);

    world.legitimate("comp1", generation_b, 3);
    check_failed(mount_server(world.site, "comp1", way), Failure::Busy, pid);
    CHECK(world.mounted("comp1") == layers);
    sitter.stop();
    CHECK(mount_server(world.site, "comp1", way));
}

TEST_CASE("an open file is named as the reason for a busy mount") {
    World world;
    world.legitimate("comp1", generation_a, 2);
    REQUIRE(mount_server(world.site, "comp1", Way::Context));
    {
        const Fd open(::open(world.path("runtime/comp1/merged/srcds_run").c_str(), O_RDONLY));
        REQUIRE(open);
        check_failed(
            umount_server(world.site, "comp1"), Failure::Busy,
            "(pid " + std::to_string(::getpid()) + ": descriptor " + std::to_string(open.get()) + ")");
    }
    CHECK(umount_server(world.site, "comp1"));
}

TEST_CASE("two mounts of one server at once give one mount") {
    const Way way = either_way();
    World world;
    world.legitimate("comp1", generation_a, 3);
    std::vector<pid_t> children;
    for (int i = 0; i < 8; ++i) {
        const pid_t child = ::fork();
        if (child == 0) ::_exit(mount_server(world.site, "comp1", way) ? 0 : 1);
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
    const Way way = either_way();
    World world;
    for (const char* server : {"comp1", "comp2", "comp3"}) {
        world.legitimate(server, generation_a, 6);
        REQUIRE(mount_server(world.site, server, way));
    }
    world.file("runtime/comp1/merged/only-here", "");
    CHECK_FALSE(world.exists("runtime/comp2/merged/only-here"));
}

TEST_CASE("the working directory of the caller is left alone") {
    const Way way = either_way();
    World world;
    const auto before = std::filesystem::current_path();
    world.legitimate("comp1", generation_a, 2);
    REQUIRE(mount_server(world.site, "comp1", way));
    REQUIRE(umount_server(world.site, "comp1"));
    CHECK(std::filesystem::current_path() == before);
}

TEST_CASE("a state directory reached through a symlink is the same place") {
    const Way way = either_way();
    World world;
    const auto layers = world.legitimate("comp1", generation_a, 3);
    world.symlink("link", ".");
    Site site = world.site;
    site.state = world.path("link");
    REQUIRE(mount_server(site, "comp1", way));
    CHECK(world.mounted("comp1") == layers);
    REQUIRE(mount_server(world.site, "comp1", way));
    CHECK(world.mounts("comp1") == 1);
}
