// left4me-overlay itself: its command line, its exit codes, its compiled-in paths.
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "world.hpp"

using namespace left4me;
using namespace left4me::overlay;

namespace {

struct ProgramResult {
    int code = -1;
    std::string words;
};

ProgramResult run(std::vector<std::string> arguments, uid_t user = 0) {
    std::array<int, 2> pipe{};
    REQUIRE(::pipe2(pipe.data(), O_CLOEXEC) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        ::dup2(pipe[1], STDERR_FILENO);
        if (user != 0 && ::setuid(user) != 0) ::_exit(99);
        std::string program = LEFT4ME_OVERLAY_PROGRAM;
        std::vector<char*> argv{program.data()};
        for (std::string& argument : arguments) argv.push_back(argument.data());
        argv.push_back(nullptr);
        ::execv(argv[0], argv.data());
        ::_exit(98);
    }
    ::close(pipe[1]);
    ProgramResult ended;
    std::array<char, 4096> buffer{};
    ssize_t got = 0;
    while ((got = ::read(pipe[0], buffer.data(), buffer.size())) > 0) {
        ended.words.append(buffer.data(), static_cast<std::size_t>(got));
    }
    ::close(pipe[0]);
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    ended.code = WEXITSTATUS(status);
    return ended;
}

/// The state directory in its real place and the game's user, both in this process's mount namespace alone.
class RealPlace {
  public:
    RealPlace() {
        world_.file("passwd", "root:x:0:0::/:/bin/sh\nleft4me-server:x:1234:1234::/:/bin/false\n");
        REQUIRE(::mount(world_.path("passwd").c_str(), "/etc/passwd", nullptr, MS_BIND, nullptr) == 0);
        world_.directory("lib/left4me");
        REQUIRE(::mount(world_.path("lib").c_str(), "/var/lib", nullptr, MS_BIND, nullptr) == 0);
        root_ = std::exchange(world_.settings.state, "/var/lib/left4me");
        world_.directory("installation");
    }
    ~RealPlace() {
        ::umount2("/var/lib", MNT_DETACH);
        ::umount2("/etc/passwd", MNT_DETACH);
        world_.settings.state = root_;  // World removes its own directory
    }
    RealPlace(const RealPlace&) = delete;
    RealPlace& operator=(const RealPlace&) = delete;
    const World& world() const { return world_; }

  private:
    World world_;
    std::string root_;
};

}  // namespace

TEST_CASE("a wrong command line is a usage error") {
    for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
             {}, {"mount"}, {"mount", "a", "b"}, {"remount", "a"}, {"--help"}, {"", ""}}) {
        const ProgramResult ended = run(words);
        CHECK(ended.code == 2);
        CHECK(ended.words == "usage: left4me-overlay mount|umount|attach NAME\n");
    }
    for (const char* verb : {"mount", "umount", "attach"}) {
        const ProgramResult ended = run({verb, "../etc\n"});
        CHECK(ended.code == 2);
        CHECK(ended.words == std::string("left4me-overlay: ") + verb +
                                 ": a server's name is 1 to 32 of a-z, 0-9 and - inside\n");
    }
}

TEST_CASE("only root can mount") {
    const ProgramResult ended = run({"mount", "comp1"}, 65534);
    CHECK(ended.code == 5);
    CHECK(ended.words == "left4me-overlay: mount comp1: only root can mount; the server's unit does it\n");
}

TEST_CASE("the program is silent on success, and prints one line on failure") {
    const RealPlace place;
    const World& world = place.world();
    CHECK(run({"umount", "comp1"}).code == 0);
    CHECK(run({"mount", "comp1"}).code == 4);

    world.render("comp1", digest_a, {"/etc", "installation"});
    const ProgramResult refused = run({"mount", "comp1"});
    CHECK(refused.code == 3);
    CHECK(refused.words.starts_with("left4me-overlay: mount comp1: the first layer is '/etc'"));
    CHECK(refused.words.find('\n') == refused.words.size() - 1);

    world.legitimate("comp1", digest_a, 5);
    for (int i = 0; i < 2; ++i) {
        const ProgramResult mounted = run({"mount", "comp1"});
        CHECK(mounted.code == 0);
        CHECK(mounted.words.empty());
    }
    CHECK(world.mounted("comp1").size() == 5);
    {
        const Fd held(::open(world.path("runtime/comp1/merged").c_str(), O_RDONLY));
        const ProgramResult busy = run({"umount", "comp1"});
        CHECK(busy.code == 6);
        CHECK(busy.words.find("is in use by ") != std::string::npos);
    }
    CHECK(run({"umount", "comp1"}).code == 0);
    CHECK(run({"umount", "comp1"}).code == 0);
    CHECK(world.mounts("comp1") == 0);
}
