#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "host/native/support.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::host;
namespace fs = std::filesystem;

namespace {

fs::path runtime(const std::string& server) { return RealServers::runtime(server); }

/// The files of a server that once ran.
void leave_behind(const std::string& server) {
    write(runtime(server) / "upper/left4dead2/logs/l1.log", "log");
    fs::create_directories(runtime(server) / "merged");
    fs::create_directories(runtime(server) / "work/work");
    fs::permissions(runtime(server) / "work/work", fs::perms::none);
    (void)run("chown -R left4me-server: " + (runtime(server) / "upper").string());
}

std::string purge(const std::string& server) {
    const Answers answers = ask("Purge", {server});
    REQUIRE(answers);
    REQUIRE(answers->size() == 1);
    return answers->at(0).error;
}

}  // namespace

TEST_CASE("Purge removes a server's files, whoever owns them") {
    leave_behind("gone");
    const fs::path sticky = runtime("gone") / "upper/sticky";
    write(sticky / "of-somebody", "x");
    fs::permissions(sticky, fs::perms(01777));
    (void)run("chown -R left4me-server: " + sticky.string() +
              "; chown nobody: " + (sticky / "of-somebody").string());
    leave_behind("stays");
    CHECK(purge("gone") == "");
    CHECK_FALSE(fs::exists(runtime("gone")));
    CHECK(fs::exists(runtime("stays") / "upper/left4dead2/logs/l1.log"));
    CHECK(purge("gone") == "");  // gone is gone
    fs::remove_all(runtime("stays"));
}

TEST_CASE("Purge refuses while the unit runs, starts or is about to be restarted") {
    PlainServers servers;
    servers.add("active");
    servers.add("starting", "ExecStartPre=/usr/bin/sleep 60\nExecStart=/usr/bin/true");
    servers.add("between", "ExecStart=/usr/bin/false\nRestartSec=60s");
    for (const char* server : {"active", "starting", "between"}) {
        leave_behind(server);
        (void)run("systemctl start --no-block " + unit(server));
    }
    REQUIRE(eventually([] {
        return property("active", "SubState") == "running" &&
               property("starting", "SubState") == "start-pre" &&
               property("between", "SubState") == "auto-restart";
    }));
    for (const char* server : {"active", "starting", "between"}) {
        INFO(server);
        CHECK(purge(server).find("stop it first") != std::string::npos);
        CHECK(fs::exists(runtime(server) / "upper/left4dead2/logs/l1.log"));
        fs::remove_all(runtime(server));
    }
}

TEST_CASE("Purge resets the failure of a failed unit") {
    PlainServers servers;
    servers.add("failed", "ExecStart=/usr/bin/false\nRestart=no");
    leave_behind("failed");
    (void)run("systemctl start " + unit("failed"));
    REQUIRE(eventually([] { return property("failed", "ActiveState") == "failed"; }));
    CHECK(purge("failed") == "");
    CHECK(property("failed", "ActiveState") == "inactive");
}

TEST_CASE("links that the game planted are removed, but not their targets") {
    const fs::path secret = "/root/precious";
    write(secret / "file", "kept");
    leave_behind("planted");
    const fs::path upper = runtime("planted") / "upper";
    fs::create_directory_symlink(secret, upper / "directory-link");
    fs::create_symlink(secret / "file", upper / "file-link");
    fs::create_directory_symlink("/", upper / "left4dead2/root");
    fs::create_directory_symlink("..", upper / "left4dead2/up");
    CHECK(purge("planted") == "");
    CHECK_FALSE(fs::exists(runtime("planted")));
    CHECK(fs::exists(secret / "file"));
    fs::remove_all(secret);
}

TEST_CASE("a runtime directory that is itself a link is not followed") {
    const fs::path elsewhere = "/root/elsewhere";
    write(elsewhere / "upper/file", "kept");
    fs::create_directory_symlink(elsewhere, runtime("linked"));
    CHECK(purge("linked") != "");
    CHECK(fs::exists(elsewhere / "upper/file"));
    fs::remove(runtime("linked"));
    fs::remove_all(elsewhere);
}

TEST_CASE("a mount beneath a runtime directory is not deleted") {
    const fs::path precious = "/root/mounted";
    write(precious / "file", "kept");
    leave_behind("crossed");
    const fs::path place = runtime("crossed") / "upper/left4dead2";
    REQUIRE(run("mount --bind " + precious.string() + " " + place.string()).status == 0);
    CHECK(purge("crossed") != "");
    CHECK(fs::exists(precious / "file"));
    REQUIRE(run("umount " + place.string()).status == 0);
    CHECK(purge("crossed") == "");
    CHECK(fs::exists(precious / "file"));
    fs::remove_all(precious);
}

TEST_CASE("directories nested five thousand deep are removed") {
    leave_behind("deep");
    int at = open((runtime("deep") / "upper").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int depth = 0; depth < 5000; ++depth) {
        REQUIRE(mkdirat(at, "d", 0700) == 0);
        const int below = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(at);
        at = below;
    }
    close(at);
    CHECK(purge("deep") == "");
    CHECK_FALSE(fs::exists(runtime("deep")));
    (void)run("rm -rf /var/lib/left4me/runtime/deep /var/lib/left4me/runtime/.purged-deep");
}

TEST_CASE("the next purge completes one that was killed") {
    leave_behind("half");
    fs::rename(runtime("half"), "/var/lib/left4me/runtime/.purged-half");
    leave_behind("half");
    CHECK(purge("half") == "");
    CHECK_FALSE(fs::exists("/var/lib/left4me/runtime/.purged-half"));
    CHECK_FALSE(fs::exists(runtime("half")));
}

TEST_CASE("other requests do not wait for a purge of many files") {
    leave_behind("many");
    const fs::path logs = runtime("many") / "upper/left4dead2/logs";
    REQUIRE(run("cd " + logs.string() + " && seq 100000 | xargs touch").status == 0);
    RealServers servers;
    servers.add("other");
    std::string purged = "not ended";
    std::thread purger([&purged] {
        purged = run("busctl call --timeout=300 org.left4me.Helper1 /org/left4me/Helper1 "
                     "org.left4me.Helper1 Purge as 1 many")
                     .output;
    });
    REQUIRE(eventually([] { return !fs::exists(runtime("many")); }));
    const bool was_removing = fs::exists("/var/lib/left4me/runtime/.purged-many.1");
    CHECK(ask("ResetFailed", {"other"}));
    const bool still_removing = fs::exists("/var/lib/left4me/runtime/.purged-many.1");
    // The same name can be used immediately.
    leave_behind("many");
    purger.join();
    CHECK(purged.find("many") != std::string::npos);
    CHECK_FALSE(fs::exists("/var/lib/left4me/runtime/.purged-many.1"));
    CHECK(fs::exists(runtime("many") / "upper/left4dead2/logs/l1.log"));
    CHECK(was_removing);
    CHECK(still_removing);
    CHECK(purge("many") == "");
}

TEST_CASE("the next helper removes what a killed one left behind") {
    leave_behind("left");
    fs::rename(runtime("left"), "/var/lib/left4me/runtime/.purged-left.1");
    (void)run("systemctl kill --signal=KILL left4me-helper; systemctl stop left4me-helper");
    CHECK(ask("ResetFailed", {"left"}));
    CHECK(eventually([] { return !fs::exists("/var/lib/left4me/runtime/.purged-left.1"); }));
}

TEST_CASE("Purge unmounts first") {
    RealServers servers;
    servers.add("mounted");
    REQUIRE(run("nsenter --mount=/proc/1/ns/mnt -- /usr/libexec/left4me-overlay mount mounted").status == 0);
    REQUIRE(is_mounted("mounted"));
    CHECK(purge("mounted") == "");
    CHECK_FALSE(is_mounted("mounted"));
    CHECK_FALSE(fs::exists(runtime("mounted")));
}

TEST_CASE("Purge is answered even if systemd never reports the end of the unmount") {
    RealServers servers;
    servers.add("unheard");
    REQUIRE(run("nsenter --mount=/proc/1/ns/mnt -- /usr/libexec/left4me-overlay mount unheard").status == 0);
    REQUIRE(is_mounted("unheard"));
    const fs::path policy = "/etc/dbus-1/system.d/zz-unheard.conf";
    write(policy,
          "<busconfig><policy context=\"mandatory\"><deny receive_sender=\"org.freedesktop.systemd1\" "
          "receive_type=\"signal\" receive_member=\"JobRemoved\"/></policy></busconfig>");
    (void)run("systemctl kill --signal TERM left4me-helper");
    REQUIRE(run("systemctl reload dbus").status == 0);
    const auto begun = std::chrono::steady_clock::now();
    CHECK(purge("unheard") == "");
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(60));
    CHECK_FALSE(is_mounted("unheard"));
    CHECK_FALSE(fs::exists(runtime("unheard")));
    fs::remove(policy);
    REQUIRE(run("systemctl reload --no-block dbus").status == 0);
}

TEST_CASE("an overlay in use prevents a purge, and the error names the unit to read about it") {
    RealServers servers;
    servers.add("in-use");
    REQUIRE(run("nsenter --mount=/proc/1/ns/mnt -- /usr/libexec/left4me-overlay mount in-use").status == 0);
    const int held = open((runtime("in-use") / "merged").c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    REQUIRE(held >= 0);
    CHECK(purge("in-use").find("journalctl -u left4me-umount@in-use.service") != std::string::npos);
    CHECK(is_mounted("in-use"));
    close(held);
    CHECK(purge("in-use") == "");
}
