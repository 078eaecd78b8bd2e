#include "adapters/watch/tree_watch.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/catch.hpp"
#include "support/own_mounts.hpp"
#include "support/scratch.hpp"

using namespace left4me;
using left4me::test::Scratch;
namespace fs = std::filesystem;

namespace {

/// The kernel queues an event before the call that caused it returns, so there is nothing to wait for.
struct Watched {
    Scratch scratch;
    fs::path root = scratch.path() / "manifests";
    TreeWatch watch{(fs::create_directories(root), std::vector<fs::path>{root})};

    void write(const std::string& name, const std::string& text = "a: b\n") {
        scratch.write("manifests/" + name, text);
    }
    bool sees(const std::string& written) {
        write(written);
        return watch.drain();
    }
};

}  // namespace

TEST_CASE("a quiet directory causes no wake-up", "[watch]") {
    Watched site;
    CHECK_FALSE(site.watch.drain());
    CHECK(site.watch.trouble().empty());
}

TEST_CASE("A written, renamed or removed file is noticed", "[watch]") {
    Watched site;
    CHECK(site.sees("a.yaml"));
    CHECK_FALSE(site.watch.drain());
    fs::rename(site.root / "a.yaml", site.root / "b.yaml");
    CHECK(site.watch.drain());
    fs::remove(site.root / "b.yaml");
    CHECK(site.watch.drain());
}

TEST_CASE("a file is still watched after an editor has replaced it", "[watch]") {
    Watched site;
    REQUIRE(site.sees("a.yaml"));
    for (int times = 0; times < 3; ++times) {
        site.write("a.yaml.tmp");
        fs::rename(site.root / "a.yaml.tmp", site.root / "a.yaml");
        CHECK(site.watch.drain());
    }
}

TEST_CASE("an editor's temporary files cause no wake-up", "[watch]") {
    Watched site;
    for (const char* name : {"a.yaml~", ".a.yaml.swp", "4913"}) site.write(name);
    CHECK_FALSE(site.watch.drain());
}

TEST_CASE("a new directory is watched, including files written before it was noticed", "[watch]") {
    Watched site;
    CHECK(site.sees("pool/deep/a.yaml"));
    CHECK(site.sees("pool/deep/b.yaml"));
}

TEST_CASE("a directory that was moved away is no longer watched", "[watch]") {
    Watched site;
    REQUIRE(site.sees("pool/a.yaml"));
    fs::rename(site.root / "pool", site.scratch.path() / "elsewhere");
    REQUIRE(site.watch.drain());
    site.scratch.write("elsewhere/b.yaml", "");
    CHECK_FALSE(site.watch.drain());
}

TEST_CASE("A symlink that is swapped is noticed, as Kubernetes swaps a ConfigMap", "[watch]") {
    Watched site;
    site.write("..1/a.yaml");
    fs::create_directory_symlink("..1", site.root / "..data");
    fs::create_symlink("..data/a.yaml", site.root / "a.yaml");
    REQUIRE(site.watch.drain());
    site.write("..2/a.yaml", "c: d\n");
    REQUIRE(site.watch.drain());
    fs::create_directory_symlink("..2", site.root / "..data_tmp");
    fs::rename(site.root / "..data_tmp", site.root / "..data");
    CHECK(site.watch.drain());
}

TEST_CASE("A root that is itself a symlink is followed to where it points now", "[watch]") {
    Scratch scratch;
    scratch.write("one/a.yaml", "");
    scratch.write("two/a.yaml", "");
    fs::create_directory_symlink("one", scratch.path() / "current");
    TreeWatch watch({scratch.path() / "current"});
    scratch.write("two/b.yaml", "");
    CHECK_FALSE(watch.drain());
    fs::create_directory_symlink("two", scratch.path() / "next");
    fs::rename(scratch.path() / "next", scratch.path() / "current");
    CHECK(watch.drain());
    scratch.write("two/c.yaml", "");
    CHECK(watch.drain());
}

TEST_CASE("A root that is removed is noticed, and noticed again when it is back", "[watch]") {
    Watched site;
    fs::remove_all(site.root);
    CHECK(site.watch.drain());
    CHECK_FALSE(site.watch.drain());
    CHECK(site.sees("a.yaml"));
    CHECK(site.sees("b.yaml"));
}

TEST_CASE("a root whose parent does not exist yet is noticed when it appears", "[watch]") {
    Scratch scratch;
    TreeWatch watch({scratch.path() / "srv/left4me/manifests"});
    CHECK_FALSE(watch.drain());
    scratch.write("srv/left4me/manifests/a.yaml", "");
    CHECK(watch.drain());
    scratch.write("srv/left4me/manifests/b.yaml", "");
    CHECK(watch.drain());
}

TEST_CASE("when the kernel's queue overflows, everything counts as changed and is watched again", "[watch]") {
    Watched site;
    // fs.inotify.max_queued_events is 16384 by default; each file is several events.
    for (int i = 0; i < 9000; ++i) {
        site.write("a.yaml", std::to_string(i));
        site.write("b.yaml", std::to_string(i));
    }
    CHECK(site.watch.drain());
    CHECK_FALSE(site.watch.drain());
    CHECK(site.sees("pool/c.yaml"));
    CHECK(site.sees("pool/d.yaml"));
}

TEST_CASE("an unmounted file system is noticed, and the directory beneath it is watched", "[watch][root]") {
    Scratch scratch;
    const fs::path root = scratch.path() / "manifests";
    fs::create_directories(root);
    const bool apart = left4me::test::enter_own_mounts();
    if (!apart || mount("tmpfs", root.c_str(), "tmpfs", 0, nullptr) != 0) {
        WARN("not allowed to mount: not tested");
        return;
    }
    TreeWatch watch({root});
    REQUIRE(umount(root.c_str()) == 0);
    CHECK(watch.drain());
    scratch.write("manifests/a.yaml", "");
    CHECK(watch.drain());
}

TEST_CASE("watching again uses another descriptor, and says so", "[watch]") {
    Watched site;
    const unsigned before = site.watch.readiness().instance;
    fs::remove_all(site.root);
    CHECK(site.watch.drain());
    CHECK(site.watch.readiness().instance != before);
}

TEST_CASE("running out of watches is reported, and existing watches keep working", "[watch][root]") {
    Watched site;
    for (const char* name : {"a", "b", "c", "d", "e"}) fs::create_directories(site.root / name);
    // The limit is a user namespace's own: nobody else's is touched.
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        if (unshare(CLONE_NEWUSER) != 0) _exit(77);
        std::ofstream limit("/proc/sys/user/max_inotify_watches");
        if (!(limit << 4 << std::flush)) _exit(77);
        TreeWatch watch({site.root});
        if (watch.trouble().find("fs.inotify.max_user_watches") == std::string::npos) _exit(1);
        site.write("x.yaml");
        _exit(watch.drain() ? 0 : 2);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    REQUIRE(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        WARN("no user namespace here: not tested");
        return;
    }
    CHECK(WEXITSTATUS(status) == 0);
}
