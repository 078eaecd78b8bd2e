// Builds on the file systems that hosts use for /var/lib/left4me. Needs root, and loop devices.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "adapters/fd.hpp"
#include "adapters/store/source_root.hpp"
#include "adapters/store/tree.hpp"
#include "place.hpp"
#include "privileged/share/share.hpp"

using namespace left4me;

namespace {

/// An image of a file system, mounted over `place.paths.state` for this process only.
class Mounted {
  public:
    Mounted(const Place& place, const std::string& type)
        : at_(place.path("volume")), image_(place.path("image")) {
        static const bool separated =
            ::unshare(CLONE_NEWNS) == 0 && ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
        REQUIRE(separated);
        place.directory("volume");
        if (type == "tmpfs") {
            REQUIRE(::mount("tmpfs", at_.c_str(), "tmpfs", 0, nullptr) == 0);
            return;
        }
        run("truncate -s 320M " + image_);
        run("mkfs." + type + " -q " + image_ + " >" + place.path("mkfs.log") + " 2>&1");
        run("mount -o loop " + image_ + " " + at_);
    }
    ~Mounted() {
        // With its loop device, which `mount -o loop` frees automatically.
        if (::umount2(at_.c_str(), 0) != 0) std::abort();
    }
    Mounted(const Mounted&) = delete;
    Mounted& operator=(const Mounted&) = delete;

  private:
    static void run(const std::string& command) {
        INFO(command);
        REQUIRE(std::system(("PATH=$PATH:/usr/sbin:/sbin; " + command).c_str()) == 0);
    }

    std::string at_;
    std::string image_;
};

/// The containers that build for another release have no loop devices; there, only tmpfs is tested.
std::vector<std::string> types() {
    if (std::filesystem::exists("/dev/loop-control")) return {"ext4", "xfs", "btrfs", "tmpfs"};
    WARN("no loop devices here: of the file systems only tmpfs is tried");
    return {"tmpfs"};
}

}  // namespace

TEST_CASE("an overlay is built on every file system that the state directory may be on") {
    if (::geteuid() != 0) return;  // only root can mount
    for (const std::string& type : types()) {
        INFO(type);
        Place place;
        const Mounted mounted(place, type);
        place.paths.state = place.path("volume");
        for (const char* part : {"overlays", "instances", "runtime", "state"})
            place.directory(std::string("volume/") + part);
        for (const char* where :
             {"source", "volume/source"}) {  // from another file system, and from the same
            INFO(where);
            place.file(std::string(where) + "/left4dead2/cfg/a.cfg", "one");
            place.file(std::string(where) + "/left4dead2/addons/map.vpk", std::string(5'000'000, 'm'));
            const auto source = directory_source(place.path(where));
            const std::string digest = wanted(place, source);
            REQUIRE(Store(place.paths).request_build("o", source));
            const std::string command = "LEFT4ME_BUILD_STATE=" + place.paths.state.string() +
                                        " INVOCATION_ID=i " LEFT4ME_BUILD_PROGRAM " o 2>" + place.path("log");
            const int ended = std::system(command.c_str());
            INFO(place.read("log"));
            REQUIRE(ended == 0);
            const std::string result = "volume/overlays/o/" + digest;
            CHECK(place.read(result + "/left4dead2/cfg/a.cfg") == "one");
            CHECK(place.read(result + "/left4dead2/addons/map.vpk").size() == 5'000'000);
            REQUIRE(Store(place.paths).prune("overlays/o/" + digest));
        }
    }
}

TEST_CASE("what artifacts have in common takes no disk space twice, on every file system") {
    if (::geteuid() != 0) return;  // only root can mount
    for (const std::string& type : types()) {
        INFO(type);
        Place place;
        const Mounted mounted(place, type);
        place.paths.state = place.path("volume");
        for (const char* part : {"overlays", "instances", "runtime", "state"})
            place.directory(std::string("volume/") + part);
        std::string text(20'000'000, '\0');
        for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 2654435761U >> 13U);
        place.file("source/left4dead2/addons/map.vpk", text);
        place.file("source/left4dead2/cfg/same.cfg", "the same");
        const share::Settings settings{.overlays = place.paths.overlays(), .group = ::getegid()};
        // What left4me-build@ runs, in its order.
        const auto build = [&](const std::string& overlay, const std::string& config) {
            place.file("source/left4dead2/cfg/a.cfg", config);
            const auto source = directory_source(place.path("source"));
            REQUIRE(Store(place.paths).request_build(overlay, source));
            const auto run = [&](const std::string& word) {
                const std::string command =
                    "LEFT4ME_BUILD_STATE=" + place.paths.state.string() +
                    " INVOCATION_ID=i SERVICE_RESULT=success EXIT_STATUS=0 " LEFT4ME_BUILD_PROGRAM " " +
                    overlay + " " + word + " 2>>" + place.path("log");
                const int ended = std::system(command.c_str());
                INFO(place.read("log"));
                REQUIRE(ended == 0);
            };
            run("unrecorded");
            REQUIRE(share::share_artifact(settings, overlay));
            run("ended");
            return "volume/overlays/" + overlay + "/" + wanted(place, source);
        };
        const auto free_bytes = [&] {
            struct statvfs status{};
            const Fd volume(::open(place.path("volume").c_str(), O_RDONLY | O_DIRECTORY));
            REQUIRE(::syncfs(volume.get()) == 0);
            REQUIRE(::fstatvfs(volume.get(), &status) == 0);
            return static_cast<std::int64_t>(status.f_bfree * status.f_frsize);
        };
        const std::string first = build("o", "one");
        const std::int64_t before = free_bytes();
        const std::string second = build("o", "two");
        const std::string of_another = build("p", "three");
        INFO(place.read("log"));
        CHECK(before - free_bytes() < 8'000'000);
        for (const std::string& artifact : {first, second, of_another}) {
            CHECK(place.read(artifact + "/left4dead2/addons/map.vpk") == text);
            CHECK(place.read(artifact + "/left4dead2/cfg/same.cfg") == "the same");
        }
        CHECK(place.read(first + "/left4dead2/cfg/a.cfg") == "one");
        CHECK(place.read(second + "/left4dead2/cfg/a.cfg") == "two");
        REQUIRE(Store(place.paths).prune(first.substr(7)));
        CHECK(place.read(second + "/left4dead2/addons/map.vpk") == text);
    }
}

TEST_CASE("a mount point within a source, or in its path, is refused") {
    if (::geteuid() != 0) return;  // only root can mount
    Place place;
    const Mounted mounted(place, "tmpfs");
    place.file("etc/secrets/rcon", "hunter2");
    for (const char* directory : {"volume/source/in", "volume/root/in"}) {
        place.file(std::string(directory) + "/a", "one");
    }
    place.file("volume/source/file", "one");
    const auto bind = [&](const std::string& what, const std::string& over) {
        REQUIRE(::mount(place.path(what).c_str(), place.path(over).c_str(), nullptr, MS_BIND, nullptr) == 0);
    };
    // Also of the same file system, where st_dev is the same.
    bind("volume/root", "volume/source/in");
    CHECK(refusal(place, directory_source(place.path("volume/source"))).contains("in is a mount point"));
    REQUIRE(::umount(place.path("volume/source/in").c_str()) == 0);
    bind("etc/secrets/rcon", "volume/source/file");
    // Names and times tell nothing about the mount of a file; whoever opens it sees that.
    const auto root = store::open_source({place.path("volume/source"), place.path("volume"), {}});
    const auto digest = store::digest_tree(root->get(), *store::scan_tree(root->get()));
    REQUIRE_FALSE(digest);
    CHECK(digest.error().contains("file"));
    REQUIRE(::umount(place.path("volume/source/file").c_str()) == 0);
    bind("etc", "volume/root/in");
    CHECK(refusal(place, DirectorySource{place.path("volume/root/in/secrets"), place.path("volume/root"), {}})
              .contains("/volume/root/in is a mount point"));
    REQUIRE(::umount(place.path("volume/root/in").c_str()) == 0);
}
