// Artifacts of all overlays whose equal files are stored once. As root, sealed files really change hands.
#include "privileged/share/share.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <csignal>
#include <map>
#include <thread>

#include "../../adapters/store/place.hpp"
#include "adapters/store/artifact_info.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/same_content.hpp"
#include "adapters/store/shared_files.hpp"
#include "support/catch.hpp"

using namespace left4me;
using share::Settings;
using share::Sharing;

namespace {

constexpr const char* first = "0123456789abcdef";
constexpr const char* second = "1123456789abcdef";
constexpr const char* third = "2123456789abcdef";

using Files = std::map<std::string, std::string>;

/// Overlays whose builds have ended.
struct Overlays {
    Place place;
    Settings settings{.overlays = place.path("overlays"),
                      .builder = ::geteuid(),
                      .owner = ::geteuid(),
                      .group = ::getegid()};

    /// What left4me-build leaves when it has published an artifact.
    void publish(const std::string& overlay, const std::string& digest, const Files& files) const {
        place.directory("overlays/" + overlay + "/.build");
        for (const auto& [path, text] : files) place.file(within(overlay, digest, path), text);
        place.remove("overlays/" + overlay + "/.build/fresh");
        place.symlink("overlays/" + overlay + "/.build/fresh", digest);
    }
    Sharing share(const std::string& overlay) const {
        const auto sharing = share_artifact(settings, overlay);
        INFO((sharing ? std::string() : sharing.error()));
        REQUIRE(sharing);
        return *sharing;
    }
    Sharing built(const std::string& overlay, const std::string& digest, const Files& files) const {
        publish(overlay, digest, files);
        return share(overlay);
    }

    static std::string within(const std::string& overlay, const std::string& digest,
                              const std::string& path) {
        return "overlays/" + overlay + "/" + digest + "/" + path;
    }
    ino_t inode(const std::string& overlay, const std::string& digest, const std::string& path) const {
        return place.inode(within(overlay, digest, path));
    }
    std::string text(const std::string& overlay, const std::string& digest, const std::string& path) const {
        return place.read(within(overlay, digest, path));
    }
    /// Otherwise the file system of the test's directory shares blocks, and each file stays one of its own.
    bool links() const {
        (void)built("probe", first, {{"probe", "probe"}});
        (void)built("probe", second, {{"probe", "probe"}});
        return inode("probe", first, "probe") == inode("probe", second, "probe");
    }
};

std::string large(char letter) { return std::string(100'000, letter); }

}  // namespace

TEST_CASE("a file that two overlays have is stored once, whatever it is called") {
    const Overlays on_host;
    const bool links = on_host.links();
    CHECK(on_host.built("maps", first, {{"left4dead2/addons/1.vpk", large('a')}}).shared_files == 0);
    const Sharing sharing = on_host.built("more", second,
                                          {{"left4dead2/addons/1.vpk", large('a')},
                                           {"left4dead2/addons/2.vpk", large('b')},
                                           {"left4dead2/maps.cfg", "small"}});
    CHECK(sharing.files == 3);
    CHECK(sharing.shared_files == 1);
    CHECK(sharing.shared_bytes >= 100'000);
    CHECK((on_host.inode("maps", first, "left4dead2/addons/1.vpk") ==
           on_host.inode("more", second, "left4dead2/addons/1.vpk")) == links);
    CHECK(on_host.built("third", third, {{"elsewhere/b.vpk", large('b')}}).shared_files == 1);
    CHECK(on_host.text("third", third, "elsewhere/b.vpk") == large('b'));
    CHECK(on_host.text("more", second, "left4dead2/addons/1.vpk") == large('a'));
}

TEST_CASE("versions of one overlay share small files, too, and every text stays") {
    const Overlays on_host;
    (void)on_host.built("o", first,
                        {{"a.vpk", large('a')}, {"b.vpk", large('b')}, {"a.cfg", "one"}, {"b.cfg", "one"}});
    const Sharing sharing = on_host.built("o", second,
                                          {{"a.vpk", large('a')},
                                           {"b.vpk", large('B')},
                                           {"a.cfg", "one"},
                                           {"b.cfg", "two"},
                                           {"empty.cfg", ""}});
    CHECK(sharing.files == 5);
    CHECK(sharing.shared_files == 2);
    CHECK(on_host.text("o", second, "b.vpk") == large('B'));
    CHECK(on_host.text("o", first, "b.vpk") == large('b'));
    CHECK(on_host.text("o", second, "b.cfg") == "two");
    CHECK(on_host.text("o", first, "b.cfg") == "one");
    CHECK_FALSE(on_host.place.exists("overlays/o/.build/linked"));
}

TEST_CASE("a large file that was moved is found by its size, a small one is not") {
    const Overlays on_host;
    (void)on_host.built("o", first, {{"old/name.vpk", large('a')}, {"old/small.cfg", "small"}});
    CHECK(
        on_host.built("o", second, {{"new/name.vpk", large('a')}, {"new/small.cfg", "small"}}).shared_files ==
        1);
    CHECK(on_host.text("o", second, "new/name.vpk") == large('a'));
}

TEST_CASE("two names within one artifact never become one file") {
    const Overlays on_host;
    if (!on_host.links()) return;
    (void)on_host.built("o", first, {{"a.vpk", large('a')}});
    CHECK(on_host.built("p", second, {{"a.vpk", large('a')}, {"b.vpk", large('a')}, {"c.vpk", large('a')}})
              .shared_files == 1);
    CHECK(on_host.inode("p", second, "a.vpk") != on_host.inode("p", second, "b.vpk"));
    CHECK(on_host.inode("p", second, "a.vpk") != on_host.inode("p", second, "c.vpk"));
    CHECK(on_host.inode("p", second, "b.vpk") != on_host.inode("p", second, "c.vpk"));
}

TEST_CASE("a program and a file without that mode keep their own storage") {
    const Overlays on_host;
    if (!on_host.links()) return;
    (void)on_host.built("o", first, {{"program", large('a')}});
    on_host.publish("o", second, {{"program", large('a')}});
    REQUIRE(::chmod(on_host.place.path(Overlays::within("o", second, "program")).c_str(), 0775) == 0);
    CHECK(on_host.share("o").shared_files == 0);
    on_host.publish("p", first, {{"program", large('a')}});
    REQUIRE(::chmod(on_host.place.path(Overlays::within("p", first, "program")).c_str(), 0775) == 0);
    CHECK(on_host.share("p").shared_files == 1);
    CHECK(on_host.inode("p", first, "program") == on_host.inode("o", second, "program"));
}

TEST_CASE("a file with other extended attributes keeps its own storage") {
    const Overlays on_host;
    if (!on_host.links()) return;
    (void)on_host.built("o", first, {{"a.vpk", large('a')}});
    on_host.publish("o", second, {{"a.vpk", large('a')}});
    const std::string path = on_host.place.path(Overlays::within("o", second, "a.vpk"));
    if (::setxattr(path.c_str(), "user.left4me", "x", 1, 0) != 0) return;
    CHECK(on_host.share("o").shared_files == 0);
}

TEST_CASE("what has been shared is found to be shared again") {
    const Overlays on_host;
    (void)on_host.built("o", first, {{"a.vpk", large('a')}, {"small", "small"}});
    CHECK(on_host.built("o", second, {{"a.vpk", large('a')}, {"small", "small"}}).shared_files == 2);
    CHECK(on_host.share("o").shared_files == 2);
    CHECK(on_host.share("o").shared_files == 2);
}

TEST_CASE("what it tells is shown with the artifact, and goes with it") {
    const Overlays on_host;
    (void)on_host.built("o", first, {{"a.vpk", large('a')}});
    on_host.publish("o", second, {{"a.vpk", large('a')}});
    const Fd overlay(::open(on_host.place.path("overlays/o").c_str(), O_RDONLY | O_DIRECTORY));
    const TimePoint now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    REQUIRE(store::write_info(overlay.get(), second, {.built = now, .files = 1, .bytes = 100'000}));
    CHECK(store::read_info(overlay.get(), second)->shared_bytes == 0);
    (void)on_host.share("o");
    CHECK(store::read_info(overlay.get(), second)->shared_bytes >= 100'000);
    REQUIRE(store::remove_info(overlay.get(), second));
    CHECK_FALSE(on_host.place.exists(std::string("overlays/o/") + second + ".shared"));
    CHECK(on_host.place.exists(std::string("overlays/o/") + first + ".shared"));
}

TEST_CASE("what is in the way of sharing fails nothing") {
    const Overlays on_host;
    (void)on_host.built("o", first, {{"directory/a", large('a')}, {"link", "a file"}});
    on_host.publish("o", second, {{"directory", "a file"}, {"name\nof two lines", large('a')}});
    on_host.place.symlink(Overlays::within("o", second, "link"), "directory");
    on_host.place.file(std::string("overlays/o/") + third, "not a directory");
    on_host.place.file(std::string("overlays/o/") + third + ".shared", "0\n100000 directory/a\n");
    on_host.place.symlink("overlays/o/3123456789abcdef", "/etc");
    on_host.place.symlink("overlays/elsewhere", "/etc");
    on_host.place.file("overlays/file", "not an overlay");
    on_host.place.file("overlays/o/.build/linked", "left by a killed run");
    for (const char* text :
         {"", "\n", "x\n", "0\nx\n", "0\n100000 ../../../../etc/passwd\n", "0\n100000 \n", "0\n100000"})
        on_host.place.file("overlays/wrong/" + std::string(first) + ".shared", text);
    on_host.place.directory("overlays/wrong/" + std::string(first));
    const Sharing sharing = on_host.share("o");
    CHECK(sharing.files == 2);
    CHECK(sharing.shared_files == 1);
    CHECK(on_host.text("o", second, "directory") == "a file");
    CHECK_FALSE(on_host.place.exists("overlays/o/.build/linked"));
}

TEST_CASE("without an artifact that was just built, nothing is touched") {
    const Overlays on_host;
    CHECK_FALSE(share_artifact(on_host.settings, "nobody"));
    on_host.publish("o", first, {{"a.vpk", large('a')}});
    for (const char* target : {"", "..", "../p/0123456789abcdef", "0123456789abcde", "1123456789abcdef"}) {
        on_host.place.remove("overlays/o/.build/fresh");
        if (*target != '\0') on_host.place.symlink("overlays/o/.build/fresh", target);
        CHECK_FALSE(share_artifact(on_host.settings, "o"));
    }
    CHECK_FALSE(on_host.place.exists(std::string("overlays/o/") + first + ".shared"));
}

TEST_CASE("a file with two names is sealed if both are in the artifact, and keeps them") {
    const Overlays on_host;
    for (const char* digest : {first, second}) {
        on_host.publish("o", digest, {{"a.vpk", large('a')}});
        const auto path = [&](const char* name) {
            return on_host.place.path(Overlays::within("o", digest, name));
        };
        REQUIRE(::link(path("a.vpk").c_str(), path("b.vpk").c_str()) == 0);
        REQUIRE(::chmod(path("a.vpk").c_str(), 0664) == 0);
        CHECK(on_host.share("o").shared_files == 0);
        struct stat status{};
        REQUIRE(::stat(path("b.vpk").c_str(), &status) == 0);
        CHECK((status.st_mode & 07777U) == 0644);
        CHECK(status.st_nlink == 2);
    }
}

TEST_CASE("a hard link to a file of another directory is not sealed") {
    const Overlays on_host;
    on_host.place.file("secret", large('s'));
    on_host.publish("o", first, {{"a.vpk", large('a')}});
    const std::string secret = on_host.place.path("secret");
    REQUIRE(::chmod(secret.c_str(), 0600) == 0);
    REQUIRE(::link(secret.c_str(), on_host.place.path(Overlays::within("o", first, "s.vpk")).c_str()) == 0);
    (void)on_host.share("o");
    struct stat status{};
    REQUIRE(::stat(secret.c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0600);
    REQUIRE(::stat(on_host.place.path(Overlays::within("o", first, "a.vpk")).c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0644);
}

TEST_CASE("a killed run changes no file, and the next one goes on") {
    const Overlays on_host;
    Files files;
    for (int i = 0; i < 200; ++i)
        files[std::to_string(i % 7) + "/" + std::to_string(i)] =
            std::string(70'000U + static_cast<unsigned>(i), static_cast<char>('a' + i % 26));
    (void)on_host.built("o", first, files);
    on_host.publish("p", second, files);
    for (int moment = 0; moment < 30; ++moment) {
        const pid_t pid = ::fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            (void)share_artifact(on_host.settings, "p");
            ::_exit(0);
        }
        std::this_thread::sleep_for(std::chrono::microseconds(400 * moment));
        ::kill(pid, SIGKILL);
        REQUIRE(::waitpid(pid, nullptr, 0) == pid);
        for (const auto& [path, text] : files) {
            REQUIRE(on_host.text("p", second, path) == text);
            REQUIRE(on_host.text("o", first, path) == text);
        }
    }
    CHECK(on_host.share("p").shared_files == 200);
}

TEST_CASE("whoever builds can read a sealed file and not write to it; a file of anybody else is not sealed") {
    if (::geteuid() != 0) return;  // only root gives files to others
    Overlays on_host;
    on_host.settings.builder = 61234;
    on_host.settings.owner = 61235;
    on_host.settings.group = 61234;
    const auto give = [&](const std::string& path) {
        REQUIRE(::chown(on_host.place.path(path).c_str(), 61234, 61235) == 0);
    };
    for (const auto& [overlay, digest] : {std::pair("o", first), std::pair("p", second)}) {
        on_host.publish(overlay, digest, {{"a.vpk", large('a')}, {"b.vpk", large('b')}});
        give(Overlays::within(overlay, digest, "a.vpk"));
        (void)on_host.share(overlay);
    }
    const std::string path = on_host.place.path(Overlays::within("p", second, "a.vpk"));
    struct stat status{};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK(status.st_uid == 61235);
    CHECK(status.st_gid == 61234);
    // b.vpk is root's: it stays as it is.
    REQUIRE(::stat(on_host.place.path(Overlays::within("p", second, "b.vpk")).c_str(), &status) == 0);
    CHECK(status.st_uid == 0);
    CHECK(status.st_nlink == 1);
    // Other users may not enter the test's directory.
    const Fd artifact(
        ::open(on_host.place.path(Overlays::within("p", second, "")).c_str(), O_RDONLY | O_DIRECTORY));
    REQUIRE(::fchmod(artifact.get(), 0755) == 0);
    const pid_t pid = ::fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
        const std::array<gid_t, 2> groups{61234, 61235};
        if (::setgroups(groups.size(), groups.data()) != 0 || ::setgid(61234) != 0 || ::setuid(61234) != 0)
            ::_exit(2);
        if (::openat(artifact.get(), "a.vpk", O_RDONLY) < 0) ::_exit(3);
        if (::openat(artifact.get(), "a.vpk", O_WRONLY) >= 0) ::_exit(4);
        if (::fchmodat(artifact.get(), "a.vpk", 0666, 0) == 0) ::_exit(5);
        ::_exit(0);
    }
    int ended = 0;
    REQUIRE(::waitpid(pid, &ended, 0) == pid);
    CHECK(ended == 0);
}

TEST_CASE("contents are compared to the last byte, and holes count as zeros") {
    const Place place;
    const auto open = [&](const std::string& name) { return Fd(::open(place.path(name).c_str(), O_RDWR)); };
    place.file("a", std::string(3'000'000, 'a'));
    place.file("b", std::string(2'999'999, 'a') + "b");
    place.file("c", std::string(3'000'000, 'a'));
    place.file("shorter", std::string(2'999'999, 'a'));
    CHECK(store::have_same_content(open("a").get(), open("c").get()));
    CHECK_FALSE(store::have_same_content(open("a").get(), open("b").get()));
    CHECK_FALSE(store::have_same_content(open("a").get(), open("shorter").get()));
    place.file("hole", "");
    place.file("zeros", std::string(3'000'000, '\0'));
    REQUIRE(::ftruncate(open("hole").get(), 3'000'000) == 0);
    CHECK(store::have_same_content(open("hole").get(), open("zeros").get()));
    REQUIRE(::pwrite(open("zeros").get(), "x", 1, 2'000'000) == 1);
    CHECK_FALSE(store::have_same_content(open("hole").get(), open("zeros").get()));
    CHECK_FALSE(store::have_same_content(open("zeros").get(), open("hole").get()));
    place.file("huge", "");
    REQUIRE(::ftruncate(open("huge").get(), 1LL << 40U) == 0);
    CHECK(store::have_same_content(open("huge").get(), open("huge").get()));
}
