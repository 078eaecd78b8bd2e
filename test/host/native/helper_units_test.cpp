#include "host/native/support.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::host;

namespace {

/// How often PID 1 reloaded its units: while `work` ran, and in the seconds after it.
struct Reloads {
    int before = 0;
    int after = 0;

    bool operator==(const Reloads&) const = default;
};

Reloads reloads_around(const std::function<void()>& work) {
    auto bus = Bus::open();
    REQUIRE(bus);
    const char* systemd = "org.freedesktop.systemd1";
    int reloads = 0;
    REQUIRE(
        (*bus)->watch({systemd, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Reloading"},
                      [&](sdbus::Signal& signal) {
                          bool begins = false;
                          signal >> begins;
                          if (begins) ++reloads;
                      }));
    bool subscribed = false;
    (*bus)->call(
        {systemd, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager", "Subscribe"},
        [](sdbus::MethodCall&) {}, [&](sdbus::MethodReply&, const BusError*) { subscribed = true; });
    REQUIRE((*bus)->round_trip([&] { return subscribed; }));
    // What an earlier test has left to be reloaded.
    (void)(*bus)->wait_until([] { return false; }, std::chrono::seconds(4));
    reloads = 0;
    work();
    (void)(*bus)->wait_until([] { return false; }, std::chrono::milliseconds(1));
    const int before = reloads;
    (void)(*bus)->wait_until([] { return false; }, std::chrono::seconds(10));
    return {before, reloads - before};
}

void accepted(const Answers& answers, std::size_t count) {
    REQUIRE(answers);
    CHECK(answers->size() == count);
    for (const Answer& answer : *answers) {
        INFO(answer.name);
        CHECK(answer.error == "");
    }
}

bool is_enabled(const std::string& server) {
    return run("systemctl is-enabled " + unit(server)).output == "enabled\n";
}

}  // namespace

TEST_CASE(
    "enabling and disabling two hundred servers is answered before PID 1 reloads, once, and not when nothing "
    "changes") {
    PlainServers servers;
    const auto names = numbered("batch-", 200);
    servers.add_all(names);
    CHECK(reloads_around([&] { accepted(ask("Enable", names), 200); }) == Reloads{0, 1});
    for (const char* name : {"batch-0", "batch-111", "batch-199"}) CHECK(is_enabled(name));
    CHECK(reloads_around([&] { accepted(ask("Enable", names), 200); }) == Reloads{0, 0});
    CHECK(reloads_around([&] { accepted(ask("Disable", names), 200); }) == Reloads{0, 1});
    CHECK_FALSE(is_enabled("batch-111"));
    CHECK(reloads_around([&] { accepted(ask("Disable", names), 200); }) == Reloads{0, 0});
}

TEST_CASE("a running server is enabled without a restart") {
    PlainServers servers;
    servers.add("running");
    REQUIRE(run("systemctl start " + unit("running")).status == 0);
    const std::string pid = property("running", "MainPID");
    accepted(ask("Enable", {"running"}), 1);
    CHECK(is_enabled("running"));
    CHECK(eventually([] { return property("running", "UnitFileState") == "enabled"; }));  // PID 1 knows, too
    CHECK(property("running", "MainPID") == pid);
    accepted(ask("Start", {"running"}), 1);
    CHECK(property("running", "MainPID") == pid);
}

TEST_CASE("Enable removes masks in /etc and /run, and the server keeps running") {
    PlainServers servers;
    servers.add_all({"masked", "run-masked", "both"});
    for (const char* server : {"masked", "run-masked", "both"})
        REQUIRE(run("systemctl start " + unit(server)).status == 0);
    const std::string pid = property("masked", "MainPID");
    REQUIRE(run("systemctl mask " + unit("masked") + " " + unit("both")).status == 0);
    REQUIRE(run("systemctl mask --runtime " + unit("run-masked") + " " + unit("both")).status == 0);
    CHECK(reloads_around([] { accepted(ask("Enable", {"masked", "run-masked", "both"}), 3); }) ==
          Reloads{1, 0});
    for (const char* server : {"masked", "run-masked", "both"}) {
        INFO(server);
        CHECK(is_enabled(server));
        CHECK(property(server, "LoadState") == "loaded");
        CHECK(property(server, "ActiveState") == "active");
    }
    CHECK(property("masked", "MainPID") == pid);
}

TEST_CASE("one server that cannot be enabled does not fail the batch") {
    PlainServers servers;
    servers.add_all({"before", "stuck", "then"});
    // A mask that is not a link, which systemd does not remove.
    write("/etc/systemd/system/" + unit("stuck"), "");
    (void)run("systemctl daemon-reload");
    const Answers answers = ask("Enable", {"before", "stuck", "then"});
    REQUIRE(answers);
    CHECK(answers->at(0).error.empty());
    CHECK(answers->at(1).error != "");
    CHECK(answers->at(2).error.empty());
    CHECK(is_enabled("before"));
    CHECK(is_enabled("then"));
    std::filesystem::remove("/etc/systemd/system/" + unit("stuck"));
}

TEST_CASE("starting a masked server fails with the reason") {
    PlainServers servers;
    servers.add_all({"masked", "fine"});
    REQUIRE(run("systemctl mask " + unit("masked")).status == 0);
    const Answers answers = ask("Start", {"masked", "fine"});
    REQUIRE(answers);
    CHECK(answers->at(0).error.find("masked") != std::string::npos);
    CHECK(answers->at(0).job.empty());
    CHECK(answers->at(1).job.starts_with("/org/freedesktop/systemd1/job/"));
}

TEST_CASE("stopping a stopped server, or resetting one that did not fail, succeeds immediately") {
    for (const char* method : {"Stop", "Attach", "ResetFailed", "Disable", "Purge"}) {
        INFO(method);
        const Answers answers = ask(method, {"never-seen"});
        accepted(answers, 1);
        CHECK(answers->at(0).job.empty());
    }
}

TEST_CASE("an overlay that its stopped unit left mounted is unmounted by Stop") {
    RealServers servers;
    servers.add("left-over");
    REQUIRE(run("nsenter --mount=/proc/1/ns/mnt -- /usr/libexec/left4me-overlay mount left-over").status ==
            0);
    REQUIRE(is_mounted("left-over"));
    REQUIRE(property("left-over", "ActiveState") == "inactive");
    const Answers answers = ask("Stop", {"left-over"});
    accepted(answers, 1);
    CHECK_FALSE(answers->at(0).job.empty());
    CHECK(eventually([] { return !is_mounted("left-over"); }));
}

TEST_CASE("Attach remounts what was unmounted under a running server, and touches nothing else") {
    RealServers servers;
    for (const char* server : {"unmounted", "mounted", "stopped"}) servers.add(server);
    REQUIRE(run("systemctl start " + unit("unmounted") + " " + unit("mounted")).status == 0);
    const std::string pid = property("unmounted", "MainPID");
    // From then on it is out of the host's mount namespace.
    const std::string children = "cat /proc/" + pid + "/task/" + pid + "/children";
    const std::string names = "for child in $(" + children + "); do cat /proc/$child/comm; done";
    REQUIRE(eventually([&] { return run(names).output.ends_with("sleep\n"); }));
    REQUIRE(run("nsenter --mount=/proc/1/ns/mnt -- umount " +
                (RealServers::runtime("unmounted") / "merged").string())
                .status == 0);
    const Answers answers = ask("Attach", {"unmounted", "mounted", "stopped"});
    accepted(answers, 3);
    CHECK(answers->at(0).job.starts_with("/org/freedesktop/systemd1/job/"));
    CHECK(answers->at(1).job.empty());
    CHECK(answers->at(2).job.empty());
    CHECK(eventually([] { return is_mounted("unmounted"); }));
    CHECK(property("unmounted", "MainPID") == pid);
    CHECK_FALSE(is_mounted("stopped"));
}

TEST_CASE("requests that arrive while the helper exits are all answered") {
    PlainServers servers;
    servers.add("asked");
    const std::filesystem::path often = "/run/systemd/system/left4me-helper.service.d/often.conf";
    write(often, "[Unit]\nStartLimitIntervalSec=0\n");
    (void)run("systemctl daemon-reload");
    for (int i = 0; i < 30; ++i) {
        INFO("request " << i);
        (void)run("systemctl kill -s TERM left4me-helper");
        const Answers answers = ask(i % 2 == 0 ? "Enable" : "Disable", {"asked"});
        if (!answers) FAIL(answers.error().name << ": " << answers.error().message);
        CHECK(answers->at(0).error.empty());
    }
    std::filesystem::remove_all(often.parent_path());
    (void)run("systemctl daemon-reload");
}

TEST_CASE("an idle helper exits") {
    accepted(ask("ResetFailed", {"any"}), 1);
    const auto state = [] { return run("systemctl is-active left4me-helper").output; };
    CHECK(state() == "active\n");
    CHECK(eventually([&] { return state() == "inactive\n"; }, 90));
    CHECK(run("systemctl show --value -p Result left4me-helper").output == "success\n");
    accepted(ask("ResetFailed", {"any"}), 1);
}
