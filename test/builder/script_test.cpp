// What left4me-build makes of a script's unit, whatever that sends. The unit is played by a child process
// here; the real one is in test/host/tests/test_scripts.py.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>

#include "../adapters/store/place.hpp"
#include "adapters/store/build_files.hpp"
#include "adapters/store/script_files.hpp"
#include "builder/script/output.hpp"

using namespace left4me;
using namespace left4me::builder;
using namespace std::chrono_literals;
namespace room = left4me::store::script_room;

namespace {

/// The build of one overlay whose source is a script, and its unit.
class ScriptBuild {
  public:
    ScriptBuild() {
        place.directory("overlays/o");
        overlay_ = Fd(::open(place.path("overlays/o").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        directory_ = std::move(*store::make_build_directory(overlay_.get()));
        source = {"true", ScriptNetwork::None, 20s, 1U << 30U, 1U << 20U, {}};
    }
    ~ScriptBuild() { end_unit(); }
    ScriptBuild(const ScriptBuild&) = delete;
    ScriptBuild& operator=(const ScriptBuild&) = delete;

    /// Runs left4me-build beside a shell that plays the unit in the room.
    BuildRecord run(const std::string& unit) {
        REQUIRE(store::write_request(directory_.get(), source));
        unit_ = ::fork();
        REQUIRE(unit_ >= 0);
        // In both processes: whichever comes first.
        (void)::setpgid(unit_, unit_);
        if (unit_ == 0) {
            if (::chdir(place.path("overlays/o/.build/script").c_str()) != 0) ::_exit(126);
            const std::string play = "say() { echo \"$*\" 1<>result; }; exec 3>output; " + unit;
            ::execl("/bin/sh", "sh", "-c", play.c_str(), nullptr);
            ::_exit(127);
        }
        const std::string command = "LEFT4ME_BUILD_STATE=" + place.paths.state.string() +
                                    " INVOCATION_ID=i1 " LEFT4ME_BUILD_PROGRAM " o 2>>" + place.path("log");
        (void)!std::system(command.c_str());
        end_unit();
        return store::read_record(directory_.get());
    }

    /// The failure of a build that must not succeed.
    BuildFailure failure(const std::string& unit) {
        const BuildRecord record = run(unit);
        INFO(place.read("log"));
        REQUIRE(record.failure);
        CHECK_FALSE(record.artifact);
        CHECK_FALSE(place.exists("overlays/o/.build/spool"));
        return *record.failure;
    }

    /// A shell's command that makes an archive of what the command `make` leaves.
    static std::string leaving(const std::string& make) {
        return "say running; mkdir left; (cd left; " + make +
               "); tar -C left --format=posix --sparse -cf - . >&3; exec 3>&-; say complete";
    }

    Place place;
    ScriptSource source;

  private:
    void end_unit() {
        if (unit_ <= 0) return;
        (void)::kill(-unit_, SIGKILL);
        (void)::waitpid(unit_, nullptr, 0);
        unit_ = -1;
    }

    Fd overlay_;
    Fd directory_;
    pid_t unit_ = -1;
};

}  // namespace

TEST_CASE("what a script leaves becomes the artifact", "[script]") {
    ScriptBuild build;
    const BuildRecord record =
        build.run(ScriptBuild::leaving("mkdir cfg; echo 1 >cfg/a.cfg; ln -s a.cfg cfg/link; ln cfg/a.cfg "
                                       "b.cfg; printf x >run; chmod 700 run"));
    INFO(build.place.read("log"));
    REQUIRE(record.artifact);
    CHECK_FALSE(record.failure);
    CHECK(record.artifact->input == fingerprint(build.source));
    const std::string artifact = "overlays/o/" + record.artifact->digest + "/";
    CHECK(build.place.read(artifact + "cfg/a.cfg") == "1\n");
    CHECK(build.place.read(artifact + "cfg/link") == "1\n");
    CHECK(build.place.read(artifact + "b.cfg") == "1\n");
    CHECK(build.place.mode(artifact + "run") == 0775);
    CHECK(build.place.mode(artifact + "cfg/a.cfg") == 0664);
    CHECK_FALSE(build.place.exists("overlays/o/.build/tree"));
}

TEST_CASE("the room of a script has its text, its limits and two FIFOs, made anew for each request",
          "[script]") {
    ScriptBuild build;
    (void)build.run("say refused x");
    const std::string path = "overlays/o/.build/script/";
    CHECK(build.place.read(path + room::text) == "true");
    CHECK(build.place.read(path + room::limits) == "memory 1073741824\ndisk 1048576\n");
    CHECK(build.place.read(path + room::network).starts_with("net:["));
    // As a sandbox has it that still ends: its inode is not used again meanwhile.
    const Fd open(::open(build.place.path(path + room::output).c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC));
    const ino_t before = build.place.inode(path + room::output);
    CHECK(build.place.mode(path + room::output) == 0666);
    CHECK(build.place.mode(path + room::text) == 0644);
    (void)build.run("say refused x");
    CHECK(build.place.inode(path + room::output) != before);
}

TEST_CASE("a script that fails, or is not run, fails its build with the reason", "[script]") {
    using Kind = BuildFailureKind;
    struct Bad {
        std::string unit;
        Kind kind;
        std::string message;
    };
    const std::vector<Bad> all{
        {"say running; say exited 3; exit 1", Kind::ScriptFailed, "the script ended with exit code 3"},
        {"say refused 'it would have the host'\"'\"'s network'", Kind::ScriptFailed,
         "the script was not run, because it would have the host's network"},
        {"say running; printf abc >&3; exec 3>&-; say ended oom-kill 9", Kind::OutOfMemory,
         "the script and its files needed more than the MemoryMax= of its unit"},
        {"say running; exec 3>&-; say ended timeout TERM", Kind::TimedOut,
         "the script ran longer than the RuntimeMaxSec= of its unit"},
        {"say running; exec 3>&-; say ended signal KILL", Kind::ScriptFailed,
         "the script's unit ended with signal KILL"},
        {"say running; say unreadable", Kind::ScriptFailed,
         "what the script left could not be read; its log says why"},
        {"say running; head -c 5000 /dev/zero | tr '\\0' x 1<>result >result; sleep 60", Kind::ScriptFailed,
         "the script writes nonsense to where its sandbox says how it goes"},
        {"say exited \"$(printf '3\\033[2J')\"", Kind::ScriptFailed, "exit code 3?[2J"},
        {ScriptBuild::leaving("true"), Kind::ScriptFailed,
         "what the script left: no file; it is to write them into the directory that it begins in"},
        {ScriptBuild::leaving("mkfifo pipe"), Kind::ScriptFailed, "what the script left: './pipe' is a FIFO"},
        {ScriptBuild::leaving("ln -s /etc/passwd x; echo y >y"), Kind::ScriptFailed,
         "what the script left: x is a symlink that leads out"},
        {ScriptBuild::leaving("head -c 2M /dev/zero >x"), Kind::ScriptFailed,
         "what the script left: more than 1048576 bytes"},
        {"say running; head -c 9M /dev/urandom >&3; exec 3>&-; say complete", Kind::ScriptFailed,
         "what the script left: "},
        {"say running; echo x >x; tar -P -cf - ../script/x >&3; exec 3>&-; say complete", Kind::ScriptFailed,
         ".."},
    };
    for (const Bad& bad : all) {
        INFO(bad.unit);
        ScriptBuild build;
        const BuildFailure failure = build.failure(bad.unit);
        CHECK(failure.kind == bad.kind);
        INFO(failure.message);
        CHECK(failure.message.contains(bad.message));
    }
}

TEST_CASE("a script gets no more than its time", "[script]") {
    ScriptBuild build;
    build.source.timeout = 1s;
    const BuildFailure failure = build.failure("say running; sleep 60");
    CHECK(failure.kind == BuildFailureKind::TimedOut);
    CHECK(failure.message == "the script ran longer than its timeout of 1 s");
}

TEST_CASE("a script that sends without an end is stopped at its limit", "[script]") {
    ScriptBuild build;
    build.source.limits.entries = 10;
    const BuildFailure failure = build.failure("say running; cat /dev/zero >&3");
    CHECK(failure.message == "the script leaves more than its disk and limits.overlayEntries allow");
}

TEST_CASE("only a script that may reach public addresses has a way to them", "[script]") {
    ScriptBuild build;
    const std::string path = std::string("overlays/o/.build/script/") + room::is_public;
    (void)build.run("say refused x");
    CHECK_FALSE(build.place.exists(path));
    build.source.network = ScriptNetwork::Public;
    CHECK(build.run(ScriptBuild::leaving("echo x >x")).artifact);
    CHECK(build.place.exists(path));
    CHECK(build.place.mode(path) == 0644);
    build.source.network = ScriptNetwork::None;
    (void)build.run("say refused x");
    CHECK_FALSE(build.place.exists(path));
}

TEST_CASE("a unit that does not start, or ends without a word, is not waited for forever", "[script]") {
    const Place place;
    place.directory("room");
    place.directory("build");
    REQUIRE(::mkfifo(place.path("room/output").c_str(), 0666) == 0);
    REQUIRE(::mkfifo(place.path("room/result").c_str(), 0666) == 0);
    const Fd in(::open(place.path("room").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    const Fd directory(::open(place.path("build").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    Progress progress(directory.get());
    const auto never = receive_output(in.get(), directory.get(), {20s, 1024, 1s, 1s}, progress);
    REQUIRE_FALSE(never);
    CHECK(never.error().message.contains("did not start"));
    const auto after = [&](const std::string& unit) {
        const pid_t child = ::fork();
        REQUIRE(child >= 0);
        if (child == 0) {
            (void)!::chdir(place.path("room").c_str());
            ::execl("/bin/sh", "sh", "-c", unit.c_str(), nullptr);
            ::_exit(127);
        }
        const auto received = receive_output(in.get(), directory.get(), {20s, 1024, 20s, 1s}, progress);
        ::kill(child, SIGKILL);
        CHECK(::waitpid(child, nullptr, 0) == child);
        REQUIRE_FALSE(received);
        return received.error().message;
    };
    CHECK(after("exec 3>output; echo running 1<>result") == "the script's unit ended without a word");
    // Unless the build is stopped as well, meanwhile.
    CHECK(after("exec 3>output; echo running 1<>result; exec 3>&-; echo ended success 0 1<>result") ==
          "somebody stopped the script's unit");
    CHECK(place.names("build") == std::vector<std::string>{"progress"});
}
