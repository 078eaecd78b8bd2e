// The program of left4me-build@NAME.service, run as by systemd. The test of a full disk needs root.
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "../adapters/store/place.hpp"
#include "adapters/store/artifact_info.hpp"
#include "adapters/store/build_files.hpp"
#include "adapters/store/source_root.hpp"
#include "adapters/store/tree.hpp"
#include "other_host.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {

/// One overlay `o` whose source is `source`.
class Build {
  public:
    explicit Build(const Place& place) : place_(place) {
        place.directory("overlays/o");
        overlay_ = Fd(::open(place.path("overlays/o").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        directory_ = std::move(*store::make_build_directory(overlay_.get()));
        ask({place.path("source"), place.path(""), {}});
    }

    void ask(const DirectorySource& source) const { REQUIRE(store::write_request(directory_.get(), source)); }

    pid_t start(const std::string& invocation = "i1", const char* word = nullptr) const {
        const pid_t pid = ::fork();
        REQUIRE(pid >= 0);
        if (pid == 0) {
            ::setenv("LEFT4ME_BUILD_STATE", place_.paths.state.c_str(), 1);
            ::setenv("INVOCATION_ID", invocation.c_str(), 1);
            const int log = ::open(place_.path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
            ::dup2(log, STDERR_FILENO);
            if (elsewhere) be_another_host();
            ::execl(LEFT4ME_BUILD_PROGRAM, "left4me-build", "o", word, nullptr);
            ::_exit(127);
        }
        return pid;
    }

    static int wait(pid_t pid) {
        int status = 0;
        REQUIRE(::waitpid(pid, &status, 0) == pid);
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

    int run(const std::string& invocation = "i1") const { return wait(start(invocation)); }

    BuildRecord record() const { return store::read_record(directory_.get()); }
    std::optional<BuildProgress> progress() const { return store::read_progress(directory_.get()); }

    /// Like ExecStopPost= of the unit.
    void ended(const std::string& invocation, const std::string& result, const std::string& status) const {
        const std::string command = "LEFT4ME_BUILD_STATE=" + place_.paths.state.string() +
                                    " INVOCATION_ID=" + invocation + " SERVICE_RESULT=" + result +
                                    " EXIT_STATUS=" + status + " " LEFT4ME_BUILD_PROGRAM " o ended";
        REQUIRE(std::system(command.c_str()) == 0);
    }

    /// The artifact of the source's content.
    std::string expected() const {
        const auto root = store::open_source({place_.path("source"), place_.path(""), {}});
        REQUIRE(root);
        const auto tree = store::scan_tree(root->get());
        REQUIRE(tree);
        return *store::digest_tree(root->get(), *tree);
    }

    std::string artifact(const std::string& path = "") const {
        return "overlays/o/" + record().artifact->digest + path;
    }

    void require_built() const {
        const auto now = record();
        INFO((now.failure ? now.failure->message : place_.read("log")));
        REQUIRE(now.artifact);
        CHECK_FALSE(now.failure);
        CHECK(now.artifact->digest == expected());
        CHECK(place_.names(artifact()) == place_.names("source"));
        CHECK_FALSE(place_.exists("overlays/o/.build/tree"));
        CHECK_FALSE(place_.exists("overlays/o/.build/journal"));
        CHECK_FALSE(place_.exists("overlays/o/.build/progress"));
    }

    bool elsewhere = false;  ///< on another host

  private:
    const Place& place_;
    Fd overlay_;
    Fd directory_;
};

/// Many files, so that a build can be interrupted in the middle of them.
void fill(const Place& place, int files = 400, std::size_t bytes = 20'000) {
    for (int i = 0; i < files; ++i) {
        place.file("source/left4dead2/addons/" + std::to_string(i % 7) + "/" + std::to_string(i) + ".vpk",
                   std::string(bytes, static_cast<char>('a' + i % 26)) + std::to_string(i));
    }
    place.symlink("source/left4dead2/link", "addons/0/0.vpk");
}

template <typename Condition>
void until(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (!condition()) {
        REQUIRE(std::chrono::steady_clock::now() < end);
        std::this_thread::sleep_for(1ms);
    }
}

}  // namespace

TEST_CASE("a build copies a directory into the artifact named by its digest") {
    const Place place;
    fill(place, 20);
    place.file("source/run.sh", "#!/bin/sh\n");
    REQUIRE(::chmod(place.path("source/run.sh").c_str(), 0700) == 0);
    const Build build(place);
    CHECK(build.run() == 0);
    build.require_built();
    CHECK(place.mode(build.artifact("/run.sh")) == 0775);
    CHECK(place.mode(build.artifact("/left4dead2/addons/0/0.vpk")) == 0664);
    CHECK(place.mode(build.artifact("/left4dead2")) == 0775);
    CHECK(place.read(build.artifact("/left4dead2/addons/3/3.vpk")) ==
          place.read("source/left4dead2/addons/3/3.vpk"));
    CHECK(build.record().invocation == "i1");
}

TEST_CASE("equal content gives no new artifact, and the source's new metadata is remembered") {
    const Place place;
    fill(place, 3);
    const Build build(place);
    REQUIRE(build.run() == 0);
    const auto first = build.record();
    const auto inode = place.inode(build.artifact("/left4dead2/addons/0/0.vpk"));
    place.file("source/left4dead2/addons/0/0.vpk", place.read("source/left4dead2/addons/0/0.vpk"));
    REQUIRE(build.run("i2") == 0);
    build.require_built();
    CHECK(build.record().artifact->digest == first.artifact->digest);
    CHECK(build.record().artifact->input != first.artifact->input);
    CHECK(place.inode(build.artifact("/left4dead2/addons/0/0.vpk")) == inode);
}

TEST_CASE("a build that was killed at any moment gives the right artifact when it is restarted") {
    std::mt19937 random(20261124);
    const Place place;
    fill(place);
    place.let_settle();
    const Build build(place);
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(build.run() == 0);
    const auto whole = std::chrono::steady_clock::now() - begin;
    const std::string digest = build.record().artifact->digest;
    std::uniform_int_distribution<std::int64_t> moment(
        0, std::chrono::duration_cast<std::chrono::microseconds>(whole).count());
    for (int kill = 0; kill < 20; ++kill) {
        INFO("kill " << kill);
        place.remove(build.artifact());
        const pid_t pid = build.start();
        std::this_thread::sleep_for(std::chrono::microseconds(moment(random)));
        ::kill(pid, SIGKILL);
        (void)Build::wait(pid);
        REQUIRE(build.run() == 0);
        build.require_built();
        CHECK(build.record().artifact->digest == digest);
    }
}

TEST_CASE("whenever a build is killed, the files of earlier artifacts never change") {
    std::mt19937 random(20261129);
    const Place place;
    fill(place, 100, 50'000);
    place.let_settle();
    const Build build(place);
    REQUIRE(build.run() == 0);
    const std::string first = build.record().artifact->digest;
    const auto content = [&](const std::string& digest) {
        const auto root = store::open_source({place.path("overlays/o/" + digest), place.path(""), {}});
        REQUIRE(root);
        const auto tree = store::scan_tree(root->get());
        REQUIRE(tree);
        return *store::digest_tree(root->get(), *tree);
    };
    place.file("source/left4dead2/addons/0/0.vpk", "another map");
    place.let_settle();
    const auto begin = std::chrono::steady_clock::now();
    REQUIRE(build.run() == 0);
    const auto whole = std::chrono::steady_clock::now() - begin;
    const std::string second = build.record().artifact->digest;
    CHECK(second != first);
    std::uniform_int_distribution<std::int64_t> moment(
        0, std::chrono::duration_cast<std::chrono::microseconds>(whole).count());
    for (int kill = 0; kill < 50; ++kill) {
        INFO("kill " << kill);
        place.remove(build.artifact());
        const pid_t pid = build.start();
        std::this_thread::sleep_for(std::chrono::microseconds(moment(random)));
        ::kill(pid, SIGKILL);
        (void)Build::wait(pid);
        CHECK(content(first) == first);
        REQUIRE(build.run() == 0);
        build.require_built();
        CHECK(build.record().artifact->digest == second);
        CHECK(content(second) == second);
        CHECK(content(first) == first);
        const Fd overlay(::open(place.path("overlays/o").c_str(), O_RDONLY | O_DIRECTORY));
        const auto info = store::read_info(overlay.get(), second);
        REQUIRE(info);
        CHECK(info->files == 100);
        CHECK(info->bytes >= 99 * 50'000);
    }
}

TEST_CASE(
    "an unrecorded build is recorded when its unit has ended, and left4me-share knows until then what it "
    "gave") {
    const Place place;
    fill(place, 3, 1000);
    place.let_settle();
    const Build build(place);
    REQUIRE(Build::wait(build.start("i1", "unrecorded")) == 0);
    CHECK_FALSE(build.record().artifact);
    const auto fresh = [&] {
        return std::filesystem::read_symlink(place.path("overlays/o/.build/fresh")).string();
    };
    CHECK(fresh() == build.expected());
    build.ended("i1", "success", "0");
    build.require_built();
    CHECK(build.record().invocation == "i1");
    CHECK_FALSE(place.exists("overlays/o/.build/fresh"));
    CHECK_FALSE(place.exists("overlays/o/.build/result"));

    place.remove("source/left4dead2");
    REQUIRE(Build::wait(build.start("i2", "unrecorded")) == 1);
    CHECK_FALSE(build.record().failure);
    build.ended("i2", "exit-code", "1");
    REQUIRE(build.record().failure);
    CHECK(build.record().failure->failures == 1);

    // A power cut comes before the record: the next build, or check, begins without what is left.
    fill(place, 3, 2000);
    place.let_settle();
    REQUIRE(Build::wait(build.start("i3", "unrecorded")) == 0);
    const std::string published = fresh();
    REQUIRE(Build::wait(build.start("i4", "unrecorded")) == 0);
    CHECK_FALSE(place.exists("overlays/o/.build/fresh"));  // it is there already
    build.ended("i4", "success", "0");
    CHECK(build.record().artifact->digest == published);
    CHECK(build.record().invocation == "i4");
}

TEST_CASE("files copied before a kill are kept") {
    const Place place;
    fill(place, 1000, 50'000);
    place.let_settle();
    const Build build(place);
    const pid_t pid = build.start();
    const std::string journal = "overlays/o/.build/journal";
    until([&] { return place.exists(journal) && std::filesystem::file_size(place.path(journal)) > 2000; });
    ::kill(pid, SIGKILL);
    (void)Build::wait(pid);
    const std::string file = "/left4dead2/addons/0/0.vpk";
    REQUIRE(place.exists("overlays/o/.build/tree" + file));
    const ino_t kept = place.inode("overlays/o/.build/tree" + file);
    // One of the staged files has changed since, and one is gone.
    place.file("source/left4dead2/addons/0/105.vpk", "changed");
    place.remove("source/left4dead2/addons/0/112.vpk");
    REQUIRE(build.run() == 0);
    build.require_built();
    CHECK(place.inode(build.artifact(file)) == kept);
    CHECK(place.read(build.artifact("/left4dead2/addons/0/105.vpk")) == "changed");
}

TEST_CASE("a source that changes during the copy is reported, and built once it is stable") {
    const Place place;
    fill(place, 2000, 50'000);
    place.let_settle();
    const Build build(place);
    std::atomic<bool> stop = false;
    std::thread writer([&] {
        for (int i = 0; !stop; ++i) {
            std::ofstream(place.path("source/left4dead2/addons/6/1999.vpk"), std::ios::trunc) << i;
            std::this_thread::sleep_for(5ms);
        }
    });
    CHECK(build.run("i1") == 1);
    CHECK(build.run("i2") == 1);
    stop = true;
    writer.join();
    REQUIRE(build.record().failure);
    CHECK(build.record().failure->kind == BuildFailureKind::SourceChanged);
    CHECK(build.record().failure->failures == 2);
    CHECK(build.record().invocation == "i2");
    CHECK_FALSE(build.record().artifact);
    REQUIRE(build.run("i3") == 0);
    build.require_built();
}

TEST_CASE("a full disk is reported, and the partial build is removed") {
    if (::geteuid() != 0) return;  // only root can mount
    static const bool separated =
        ::unshare(CLONE_NEWNS) == 0 && ::mount("", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    REQUIRE(separated);
    Place place;
    fill(place, 60, 100'000);
    place.let_settle();
    REQUIRE(::mount("tmpfs", place.path("overlays").c_str(), "tmpfs", 0, "size=3m") == 0);
    {
        const Build build(place);
        CHECK(build.run() == 1);
        REQUIRE(build.record().failure);
        CHECK(build.record().failure->kind == BuildFailureKind::NoSpace);
        CHECK(build.record().failure->message.contains("No space left on device"));
        CHECK_FALSE(place.exists("overlays/o/.build/tree"));
        REQUIRE(::mount("tmpfs", place.path("overlays").c_str(), "tmpfs", MS_REMOUNT, "size=30m") == 0);
        CHECK(build.run() == 0);
        build.require_built();
    }
    REQUIRE(::umount2(place.path("overlays").c_str(), MNT_DETACH) == 0);
}

TEST_CASE("two hosts build equal artifacts of a directory, however they differ") {
    Place one;
    Place other;
    const std::vector<std::string> names{"left4dead2/cfg/server.cfg",
                                         "left4dead2/addons/größer İ.vpk",
                                         "left4dead2/addons/b.vpk",
                                         "left4dead2/addons/a.vpk",
                                         "a/z",
                                         "z/a"};
    for (const std::string& name : names) one.file("source/" + name, name);
    other.directory("disk");
    // Lists names in the order in which they were made, other than most file systems of disks.
    const bool apart =
        test::enter_own_mounts() && ::mount("tmpfs", other.path("disk").c_str(), "tmpfs", 0, nullptr) == 0;
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
        other.file("disk/source/" + *name, *name);
        const std::string path = other.path("disk/source/" + *name);
        const std::array<timespec, 2> in_2040{timespec{2'208'988'800, 0}, timespec{2'208'988'800, 0}};
        REQUIRE(::utimensat(AT_FDCWD, path.c_str(), in_2040.data(), 0) == 0);
        REQUIRE(::chmod(path.c_str(), 0600) == 0);
    }
    const Build here(one);
    Build there(other);
    there.elsewhere = true;
    there.ask({other.path("disk/source"), other.path("disk"), {}});
    REQUIRE(here.run() == 0);
    const int code = there.run();
    INFO(other.read("log"));
    REQUIRE(code == 0);
    CHECK(here.record().artifact->digest == there.record().artifact->digest);
    for (const std::string& name : names)
        CHECK(one.mode(here.artifact("/" + name)) == other.mode(there.artifact("/" + name)));
    if (apart) REQUIRE(::umount2(other.path("disk").c_str(), MNT_DETACH) == 0);
}

TEST_CASE("an entry that is not allowed in an overlay fails the build with its path") {
    const Place place;
    place.file("source/a", "one");
    const Build build(place);
    const auto refused = [&](const std::string& words) {
        CHECK(build.run() == 1);
        REQUIRE(build.record().failure);
        CHECK(build.record().failure->kind == BuildFailureKind::SourceUnavailable);
        INFO(build.record().failure->message);
        CHECK(build.record().failure->message.contains(words));
    };
    REQUIRE(::mkfifo(place.path("source/fifo").c_str(), 0644) == 0);
    refused("fifo is neither a file nor a directory");
    place.remove("source/fifo");
    place.symlink("source/out", "../etc/secrets");
    refused("out is a symlink that leads out");
    place.remove("source/out");
    place.remove("source/a");
    refused("is empty");
    place.remove("source");
    refused("No such file or directory");
    build.ask({place.path("source"), place.path("source"), {}});
    refused("No such file or directory");
}

TEST_CASE("failures are counted until a build succeeds or the source changes") {
    const Place place;
    place.file("source/a", "one");
    REQUIRE(::mkfifo(place.path("source/fifo").c_str(), 0644) == 0);
    const Build build(place);
    for (unsigned failures = 1; failures <= 3; ++failures) {
        CHECK(build.run() == 1);
        CHECK(build.record().failure->failures == failures);
    }
    place.remove("source/fifo");
    CHECK(build.run() == 0);
    build.require_built();
}

TEST_CASE("the unit records a killed build, and a stopped build is not a failure") {
    const Place place;
    fill(place, 3);
    const Build build(place);
    REQUIRE(build.run("i1") == 0);
    build.ended("i1", "success", "0");
    CHECK_FALSE(build.record().failure);
    build.ended("i2", "success", "TERM");
    CHECK_FALSE(build.record().failure);
    build.ended("i3", "oom-kill", "KILL");
    REQUIRE(build.record().failure);
    CHECK(build.record().failure->kind == BuildFailureKind::OutOfMemory);
    build.ended("i4", "timeout", "TERM");
    CHECK(build.record().failure->kind == BuildFailureKind::TimedOut);
    build.ended("i5", "signal", "KILL");
    CHECK(build.record().failure->kind == BuildFailureKind::Killed);
    CHECK(build.record().failure->message.contains("KILL"));
    CHECK(build.record().failure->failures == 3);
    CHECK(build.record().artifact);  // the earlier artifact is still valid
    CHECK(build.run("i6") == 0);
    build.require_built();
}

TEST_CASE("a sparse file costs neither time nor disk") {
    const Place place;
    place.file("source/big.vpk", "begin");
    REQUIRE(::truncate(place.path("source/big.vpk").c_str(), 100LL << 30U) == 0);
    const Build build(place);
    REQUIRE(build.run() == 0);
    build.require_built();
    struct stat status{};
    REQUIRE(::stat(place.path(build.artifact("/big.vpk")).c_str(), &status) == 0);
    CHECK(status.st_size == 100LL << 30U);
    CHECK(status.st_blocks * 512 < 4 << 20U);
}

TEST_CASE("a build that was canceled and had to be killed has not failed") {
    const Place place;
    fill(place, 3);
    const Build build(place);
    REQUIRE(Store(place.paths).cancel_build("o", "input"));
    build.ended("i1", "timeout", "KILL");
    CHECK_FALSE(build.record().failure);
}

TEST_CASE("two builds of one overlay do not run concurrently") {
    const Place place;
    fill(place, 2000, 50'000);
    place.let_settle();
    const Build build(place);
    const pid_t first = build.start();
    until([&] { return place.exists("overlays/o/.build/journal"); });
    CHECK(build.run("i2") == 1);
    CHECK(Build::wait(first) == 0);
    build.require_built();
}

TEST_CASE("a build of a directory has no network") {
    const Place place;
    fill(place, 2000, 50'000);
    place.let_settle();
    const Build build(place);
    const pid_t pid = build.start();
    until([&] { return place.exists("overlays/o/.build/progress"); });
    ::kill(pid, SIGSTOP);
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    std::ostringstream text;
    text << status.rdbuf();
    ::kill(pid, SIGKILL);
    (void)Build::wait(pid);
    CHECK(text.str().contains("Seccomp:\t2"));
    CHECK(text.str().contains("NoNewPrivs:\t1"));
}
