// Files that a game wrote but may not keep are set aside at the next start.
#include "privileged/overlay/scrub.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <filesystem>

#include "specs/writable.hpp"
#include "world.hpp"

using namespace left4me;
using namespace left4me::overlay;

namespace {

constexpr const char* config = "left4dead2/cfg/server.cfg";

/// comp1 after a game ran once; upper() is what it wrote.
struct Played : World {
    MountApi api = MountApi::Options;
    SetAside told;

    Played() {
        (void)legitimate("comp1", digest_a, 3);
        file("overlays/o2/0123456789abcdef/left4dead2/addons/sourcemod/plugins/admin.smx", "plugin");
        settings.tell = [this](const SetAside& aside) { told = aside; };
        restart();
        REQUIRE(umount_server(settings, "comp1"));
    }
    void restart() {
        told = {};
        const auto done = mount_server(settings, "comp1", api);
        if (!done) FAIL(done.error().message);
    }
    static std::string upper(const std::string& name) { return "runtime/comp1/upper/" + name; }
    std::string seen(const std::string& name) const { return read("runtime/comp1/merged/" + name); }
    bool is_as_rendered() const {
        return seen(config) == std::string("rendered ") + digest_a && seen("srcds_run") == "the game";
    }
};

}  // namespace

TEST_CASE("after a restart the game sees the rendered config, its own program and the overlay's plugins") {
    Played world;
    world.file(Played::upper(config), "rcon_password taken");
    world.file(Played::upper("srcds_run"), "taken");
    world.file(Played::upper("left4dead2/addons/sourcemod/plugins/admin.smx"), "taken");
    world.file(Played::upper("left4dead2/addons/evil.vdf"), "taken");
    world.restart();
    CHECK(world.is_as_rendered());
    CHECK(world.seen("left4dead2/addons/sourcemod/plugins/admin.smx") == "plugin");
    CHECK_FALSE(world.exists("runtime/comp1/merged/left4dead2/addons/evil.vdf"));
    CHECK(world.told.count == 4);
    CHECK(world.read("runtime/comp1/removed/1/left4dead2/cfg/server.cfg") == "rcon_password taken");
    CHECK(world.read("runtime/comp1/set-aside").starts_with("1\n4\n"));
}

TEST_CASE("logs, bans, demos and plugin data stay") {
    Played world;
    for (const char* name :
         {"left4dead2/logs/l1.log", "left4dead2/cfg/banned_user.cfg", "left4dead2/auto-1.dem",
          "left4dead2/addons/sourcemod/data/sqlite/clientprefs-sqlite.sq3",
          "left4dead2/addons/sourcemod/logs/L.log", "left4dead2/ems/admin system/admins.txt",
          "left4dead2/maps/graphs/c1m1_hotel.ain"}) {
        world.file(Played::upper(name), "kept");
    }
    world.restart();
    CHECK(world.told.count == 0);
    CHECK_FALSE(world.exists("runtime/comp1/removed"));
    CHECK(world.seen("left4dead2/cfg/banned_user.cfg") == "kept");
    CHECK(world.seen("left4dead2/addons/sourcemod/data/sqlite/clientprefs-sqlite.sq3") == "kept");
}

TEST_CASE("nothing that a game does to directories hides the rendered config") {
    Played world;
    const auto cfg = world.path(Played::upper("left4dead2/cfg"));
    SECTION("it is a file") { world.file(Played::upper("left4dead2/cfg"), "x"); }
    SECTION("it is a link") {
        world.directory(Played::upper("left4dead2"));
        world.directory("elsewhere");
        world.file("elsewhere/server.cfg", "not ours");
        world.symlink(Played::upper("left4dead2/cfg"), world.path("elsewhere"));
    }
    SECTION("it is a FIFO") {
        world.directory(Played::upper("left4dead2"));
        REQUIRE(::mkfifo(cfg.c_str(), 0666) == 0);
    }
    SECTION("it is deleted") {
        world.directory(Played::upper("left4dead2"));
        REQUIRE(::mknod(cfg.c_str(), S_IFCHR, ::makedev(0, 0)) == 0);
    }
    SECTION("the config is deleted") {
        world.directory(Played::upper("left4dead2/cfg"));
        REQUIRE(::mknod((cfg + "/server.cfg").c_str(), S_IFCHR, ::makedev(0, 0)) == 0);
    }
    SECTION("it was made anew") {
        world.directory(Played::upper("left4dead2/cfg"));
        REQUIRE(::setxattr(cfg.c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0);
    }
    SECTION("all of it was made anew") {
        const auto upper = world.path("runtime/comp1/upper");
        world.directory(Played::upper("left4dead2/cfg"));
        REQUIRE(::setxattr(upper.c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0);
        REQUIRE(::setxattr((upper + "/left4dead2").c_str(), "trusted.overlay.opaque", "y", 1, 0) == 0);
    }
    SECTION("it leads elsewhere") {
        world.directory(Played::upper("left4dead2/cfg"));
        REQUIRE(::setxattr(cfg.c_str(), "trusted.overlay.redirect", "/left4dead2/logs", 16, 0) == 0);
    }
    SECTION("it is closed") {
        world.directory(Played::upper("left4dead2/cfg"));
        REQUIRE(::chown(cfg.c_str(), 1234, 1234) == 0);
        REQUIRE(::chmod(cfg.c_str(), 0) == 0);
    }
    world.restart();
    CHECK(world.is_as_rendered());
    struct stat status{};
    REQUIRE(::stat(world.path("runtime/comp1/merged/left4dead2/cfg").c_str(), &status) == 0);
    CHECK((status.st_mode & S_IRWXU) == S_IRWXU);
    if (world.exists("elsewhere/server.cfg")) CHECK(world.read("elsewhere/server.cfg") == "not ours");
}

TEST_CASE("a manifest that lets the game keep everything does not let it keep a rendered file") {
    Played world;
    world.file(std::string("instances/comp1/") + digest_a + "/writable", "left4dead2\nsrcds_*\n");
    world.file(Played::upper(config), "taken");
    world.file(Played::upper("left4dead2/addons/mine.vdf"), "mine");
    world.file(Played::upper("srcds_extra"), "mine");
    world.file(Played::upper("other"), "not mine");
    world.restart();
    CHECK(world.is_as_rendered());
    CHECK(world.seen("left4dead2/addons/mine.vdf") == "mine");
    CHECK(world.seen("srcds_extra") == "mine");
    CHECK(world.told.names.size() == 2);
}

TEST_CASE("an invalid writable list is refused before anything is touched") {
    Played world;
    const std::string list = std::string("instances/comp1/") + digest_a + "/writable";
    world.file(Played::upper("srcds_run"), "taken");
    const auto refused = [&world](const std::string& words) {
        check_failed(mount_server(world.settings, "comp1", world.api), Failure::Refused, words);
        CHECK(world.read(Played::upper("srcds_run")) == "taken");
    };
    SECTION("absolute") { world.file(list, "/etc\n"), refused("'/etc' is not a path"); }
    SECTION("above") { world.file(list, "left4dead2/../..\n"), refused("is not a path"); }
    SECTION("terminal codes") { world.file(list, "a\x1b[2J\n"), refused("'a?[2J'"); }
    SECTION("too many") {
        std::string lines;
        for (int i = 0; i < 129; ++i) lines += "a\n";
        world.file(list, lines), refused("129 lines");
    }
    SECTION("too long") { world.file(list, std::string(70'000, 'a')), refused("longer than 65536"); }
    SECTION("a link") { world.symlink(list, "/etc/shadow"), refused("is a symlink"); }
    SECTION("a FIFO") {
        REQUIRE(::mkfifo(world.path(list).c_str(), 0666) == 0);
        refused("is not a regular file");
    }
}

TEST_CASE("names chosen by a game reach the journal without control characters") {
    Played world;
    world.file(Played::upper("a\n\x1b[2Jb"), "x");
    world.restart();
    REQUIRE(world.told.names.size() == 1);
    CHECK(world.told.names.front() == "a??[2Jb");
}

TEST_CASE("a FIFO, a link or a device in place of a kept file is not kept") {
    Played world;
    world.directory(Played::upper("left4dead2/cfg"));
    REQUIRE(::mkfifo(world.path(Played::upper("left4dead2/cfg/banned_user.cfg")).c_str(), 0666) == 0);
    world.symlink(Played::upper("left4dead2/logs"), "cfg");
    world.restart();
    CHECK(world.told.count == 2);
    CHECK_FALSE(world.exists("runtime/comp1/merged/left4dead2/logs"));
}

TEST_CASE("an overlay that is still mounted is remounted if the game left files in it") {
    Played world;
    world.restart();
    world.file("runtime/comp1/merged/srcds_run", "taken");
    world.restart();
    CHECK(world.is_as_rendered());
    CHECK(world.mounts("comp1") == 1);
}

TEST_CASE("the newest sets are kept and no others") {
    Played world;
    for (std::size_t i = 1; i <= max_sets + 3; ++i) {
        world.file(Played::upper("srcds_run"), std::to_string(i));
        world.restart();
        CHECK(world.told.set == i);
        REQUIRE(umount_server(world.settings, "comp1"));
    }
    CHECK_FALSE(world.exists("runtime/comp1/removed/3"));
    CHECK(world.read("runtime/comp1/removed/4/srcds_run") == "4");
    CHECK_FALSE(world.exists("runtime/comp1/.doomed"));
}

TEST_CASE("an incompletely removed set does not prevent a start") {
    Played world;
    world.file("runtime/comp1/.doomed/1/x", "left by a start that was killed");
    world.file("runtime/comp1/.set-aside", "half");
    world.file(Played::upper("srcds_run"), "taken");
    world.restart();
    CHECK(world.is_as_rendered());
    CHECK_FALSE(world.exists("runtime/comp1/.doomed"));
}

TEST_CASE("patterns name whole parts of a path") {
    CHECK(matches_name("*.dem", "auto-1.dem"));
    CHECK(matches_name("a*b*c", "axxbyyc"));
    CHECK(matches_name("?", "x"));
    CHECK(matches_name("*", ""));
    CHECK_FALSE(matches_name("*.dem", "dem"));
    CHECK_FALSE(matches_name("?", ""));
    CHECK_FALSE(matches_name("[ab]", "a"));
    for (const auto pattern : default_writable) CHECK(is_writable_pattern(pattern));
    for (const char* bad : {"", "/", "/a", "a/", "a//b", ".", "..", "a/..", "a/./b", "a\\b", "a\nb", "a\x7f"})
        CHECK_FALSE(is_writable_pattern(bad));
}
