// Files of an artifact that earlier artifacts of the overlay have as well are stored once.
#include "builder/share.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../adapters/store/place.hpp"
#include "adapters/store/content.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/tree.hpp"

using namespace left4me;
using left4me::builder::share_files;
using left4me::builder::Sharing;

namespace {

constexpr const char* first = "0123456789abcdef";
constexpr const char* second = "1123456789abcdef";

/// The overlay `o` with a staged tree.
struct Staged {
    Place place;
    Fd overlay;
    Fd build;
    Fd tree;

    Staged() {
        place.directory("overlays/o/.build/tree");
        overlay = Fd(::open(place.path("overlays/o").c_str(), O_RDONLY | O_DIRECTORY));
        build = store::open_directory(overlay.get(), ".build");
        tree = store::open_directory(build.get(), "tree");
    }

    void earlier(const std::string& name, const std::string& text,
                 const std::string& artifact = first) const {
        place.file("overlays/o/" + artifact + "/" + name, text);
    }
    void staged(const std::string& name, const std::string& text) const {
        place.file("overlays/o/.build/tree/" + name, text);
    }
    Sharing share() const { return share_files(tree.get(), overlay.get(), build.get()); }

    ino_t of_earlier(const std::string& name, const std::string& artifact = first) const {
        return place.inode("overlays/o/" + artifact + "/" + name);
    }
    ino_t of_staged(const std::string& name) const { return place.inode("overlays/o/.build/tree/" + name); }
    std::string text(const std::string& name) const { return place.read("overlays/o/.build/tree/" + name); }
    /// The file system of the test's directory shares no blocks, so what is shared is one file.
    bool links() const {
        earlier("probe", "probe");
        staged("probe", "probe");
        (void)share();
        const bool linked = of_earlier("probe") == of_staged("probe");
        place.remove(std::string("overlays/o/") + first + "/probe");
        place.remove("overlays/o/.build/tree/probe");
        return linked;
    }
};

std::string large(char letter) { return std::string(100'000, letter); }

}  // namespace

TEST_CASE("an equal file at the same path is shared, another one is not, and every text stays") {
    const Staged site;
    const bool links = site.links();
    site.earlier("left4dead2/addons/a.vpk", large('a'));
    site.earlier("left4dead2/addons/b.vpk", large('b'));
    site.earlier("left4dead2/cfg/a.cfg", "one");
    site.earlier("left4dead2/cfg/b.cfg", "one");
    site.staged("left4dead2/addons/a.vpk", large('a'));
    site.staged("left4dead2/addons/b.vpk", large('B'));
    site.staged("left4dead2/cfg/a.cfg", "one");
    site.staged("left4dead2/cfg/b.cfg", "two");
    site.staged("left4dead2/cfg/empty.cfg", "");
    site.earlier("left4dead2/cfg/empty.cfg", "");
    const Sharing sharing = site.share();
    CHECK(sharing.files == 5);
    CHECK(sharing.shared_files == 2);
    CHECK(sharing.shared_bytes >= 100'003);
    CHECK(sharing.bytes > sharing.shared_bytes);
    CHECK((site.of_staged("left4dead2/addons/a.vpk") == site.of_earlier("left4dead2/addons/a.vpk")) == links);
    CHECK(site.of_staged("left4dead2/addons/b.vpk") != site.of_earlier("left4dead2/addons/b.vpk"));
    CHECK(site.text("left4dead2/addons/b.vpk") == large('B'));
    CHECK(site.text("left4dead2/cfg/b.cfg") == "two");
    CHECK(site.place.read(std::string("overlays/o/") + first + "/left4dead2/addons/b.vpk") == large('b'));
    CHECK_FALSE(site.place.exists("overlays/o/.build/shared"));
}

TEST_CASE("a large file that was moved is found by its size") {
    const Staged site;
    site.earlier("old/name.vpk", large('a'));
    site.earlier("old/small.cfg", "small");
    site.staged("new/name.vpk", large('a'));
    site.staged("new/small.cfg", "small");
    CHECK(site.share().shared_files == 1);
    CHECK(site.text("new/name.vpk") == large('a'));
}

TEST_CASE("two names within one artifact never become one file") {
    const Staged site;
    if (!site.links()) return;
    site.earlier("a.vpk", large('a'));
    site.earlier("a.vpk", large('a'), second);
    REQUIRE(::link(site.place.path(std::string("overlays/o/") + first + "/a.vpk").c_str(),
                   site.place.path(std::string("overlays/o/") + second + "/b.vpk").c_str()) == 0);
    for (const char* name : {"a.vpk", "b.vpk", "c.vpk"}) site.staged(name, large('a'));
    CHECK(site.share().shared_files == 2);
    CHECK(site.of_staged("a.vpk") != site.of_staged("b.vpk"));
    CHECK(site.of_staged("a.vpk") != site.of_staged("c.vpk"));
    CHECK(site.of_staged("b.vpk") != site.of_staged("c.vpk"));
}

TEST_CASE("a file with another mode or attributes keeps its own storage") {
    const Staged site;
    if (!site.links()) return;
    site.earlier("program", large('a'));
    site.staged("program", large('a'));
    REQUIRE(::chmod(site.place.path(std::string("overlays/o/") + first + "/program").c_str(), 0775) == 0);
    CHECK(site.share().shared_files == 0);
    REQUIRE(::chmod(site.place.path("overlays/o/.build/tree/program").c_str(), 0775) == 0);
    const std::string path = site.place.path("overlays/o/.build/tree/program");
    if (::setxattr(path.c_str(), "user.left4me", "x", 1, 0) == 0) {
        CHECK(site.share().shared_files == 0);
        REQUIRE(::removexattr(path.c_str(), "user.left4me") == 0);
    }
    CHECK(site.share().shared_files == 1);
    CHECK(site.share().shared_files == 1);  // and is found to be shared again
}

TEST_CASE("what is in the way of sharing fails nothing") {
    const Staged site;
    site.earlier("directory/a", large('a'));
    site.staged("directory", "a file");
    site.place.symlink("overlays/o/.build/tree/link", "directory");
    site.earlier("link", "a file");
    site.place.file("overlays/o/2123456789abcdef", "not a directory");
    site.place.symlink("overlays/o/3123456789abcdef", "/etc");
    site.place.file("overlays/o/.build/shared", "left by a killed build");
    CHECK(site.share().files == 1);
    CHECK(site.share().shared_files == 0);
    CHECK(site.text("directory") == "a file");
    CHECK_FALSE(site.place.exists("overlays/o/.build/shared"));
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
