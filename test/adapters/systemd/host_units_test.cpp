#include <sys/types.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string_view>
#include <thread>

#include "adapters/systemd/units.hpp"
#include "host/native/support.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::host;

namespace {

std::unique_ptr<Units> connect() {
    auto units = Units::connect(Paths());
    REQUIRE(units);
    return std::move(*units);
}

std::map<std::string, ObservedUnit> list() {
    const auto units = connect()->list();
    REQUIRE(units);
    return units->servers;
}

}  // namespace

TEST_CASE("enabled, disabled, masked and runtime-masked units are distinguished, running or not") {
    PlainServers servers;
    servers.add_all({"on", "off", "masked", "run-masked", "running"});
    REQUIRE(run("systemctl enable " + unit("on") + " " + unit("masked") + " " + unit("run-masked")).status ==
            0);
    REQUIRE(run("systemctl start " + unit("running")).status == 0);
    REQUIRE(run("systemctl mask " + unit("masked") + " && systemctl mask --runtime " + unit("run-masked"))
                .status == 0);
    const auto units = list();
    CHECK(units.at("on").enablement == Enablement::Enabled);
    CHECK(units.at("on").active == ActiveState::Inactive);
    CHECK_FALSE(units.contains("off"));
    CHECK(units.at("masked").enablement == Enablement::Masked);
    CHECK(units.at("run-masked").enablement == Enablement::Masked);
    CHECK(units.at("running").enablement == Enablement::Disabled);
    CHECK(units.at("running").active == ActiveState::Active);
    CHECK(units.at("running").sub == "running");
}

TEST_CASE("enablement agrees with systemctl") {
    PlainServers servers;
    servers.add_all({"on", "for-now"});
    REQUIRE(
        run("systemctl enable " + unit("on") + " && systemctl enable --runtime " + unit("for-now")).status ==
        0);
    CHECK(run("systemctl is-enabled " + unit("on")).output == "enabled\n");
    CHECK(run("systemctl is-enabled " + unit("for-now")).output == "enabled-runtime\n");
    const auto units = list();
    CHECK(units.at("on").enablement == Enablement::Enabled);
    CHECK(units.at("for-now").enablement == Enablement::Disabled);  // gone after a reboot
    (void)run("systemctl disable --runtime " + unit("for-now"));
}

TEST_CASE("loaded units that no manifest could have created are ignored") {
    PlainServers servers;
    servers.add_all({"Upper", "a.b", "good"});
    REQUIRE(run("systemctl start " + unit("Upper") + " " + unit("a.b") + " " + unit("good")).status == 0);
    const auto units = list();
    CHECK(units.contains("good"));
    CHECK(units.size() == 1);
}

TEST_CASE("a hundred units are listed in one round trip, and one more for when they were started") {
    PlainServers servers;
    const auto names = numbered("many-", 100);
    servers.add_all(names);
    std::string all;
    for (const std::string& name : names) all += " " + unit(name);
    REQUIRE(run("systemctl enable --now" + all).status == 0);
    const auto units = connect();
    const auto before = units->round_trips();
    const auto listed = units->list();
    REQUIRE(listed);
    CHECK(units->round_trips() - before == 2);
    CHECK(listed->servers.size() == 100);
    for (const auto& [name, unit] : listed->servers) CHECK(unit.active == ActiveState::Active);
}

TEST_CASE("while nothing changes, PID 1 is not asked again, but links are read") {
    PlainServers servers;
    servers.add_all({"one", "two"});
    REQUIRE(run("systemctl enable --now " + unit("one") + " " + unit("two")).status == 0);
    const auto units = connect();
    units->subscribe([] {});
    const auto listed = [&] {
        const auto now = units->list();
        REQUIRE(now);
        return now->servers;
    };
    // The signals of what happened just now may still be on their way.
    REQUIRE(eventually([&] {
        (void)listed();
        const auto before = units->round_trips();
        std::this_thread::sleep_for(std::chrono::seconds(1));
        (void)listed();
        return units->round_trips() == before;
    }));
    const auto before = units->round_trips();
    std::filesystem::remove("/etc/systemd/system/multi-user.target.wants/" + unit("one"));
    CHECK(listed().at("one").enablement == Enablement::Disabled);
    CHECK(listed().at("one").active == ActiveState::Active);
    CHECK(units->round_trips() == before);
    REQUIRE(run("systemctl stop " + unit("two")).status == 0);
    CHECK(eventually([&] { return listed().at("two").active == ActiveState::Inactive; }));
    CHECK(listed().at("one").active == ActiveState::Active);
    REQUIRE(run("systemctl start " + unit("two")).status == 0);
    CHECK(eventually([&] { return listed().at("two").active == ActiveState::Active; }));
}

TEST_CASE("the reason of a failure is reported: start limit, exit code, signal, timeout") {
    PlainServers servers;
    servers.add("limit", "ExecStart=/usr/bin/false\nRestartSec=100ms");
    servers.add("exit", "ExecStart=/usr/bin/false\nRestart=no");
    servers.add("signal", "ExecStart=/bin/sh -c 'kill -ABRT $$$$'\nRestart=no");
    servers.add(
        "timeout",
        "ExecStartPre=/usr/bin/sleep 100\nExecStart=/usr/bin/true\nTimeoutStartSec=300ms\nRestart=no");
    servers.add("slow-stop",
                "ExecStart=/bin/sh -c 'trap : INT; while :; do sleep 1; "
                "done'\nTimeoutStopSec=300ms\nRestart=on-failure");
    for (const char* server : {"limit", "exit", "signal", "timeout", "slow-stop"})
        (void)run("systemctl start --no-block " + unit(server));
    REQUIRE(eventually([] { return property("slow-stop", "ActiveState") == "active"; }));
    REQUIRE(eventually([] { return traps_interrupts("slow-stop"); }));
    (void)run("systemctl stop " + unit("slow-stop"));
    for (const char* server : {"limit", "exit", "signal", "timeout", "slow-stop"}) {
        INFO(server);
        REQUIRE(eventually([&] { return property(server, "ActiveState") == "failed"; }));
    }
    const auto connected = connect();
    const auto before = connected->round_trips();
    const auto units = connected->list();
    REQUIRE(units);
    CHECK(connected->round_trips() - before == 2);
    CHECK(units->servers.at("limit").result == "start-limit-hit");
    CHECK(units->servers.at("exit").result == "exit-code");
    CHECK(units->servers.at("signal").result.starts_with(property("signal", "Result")));
    CHECK(units->servers.at("timeout").result == "timeout");
    CHECK(units->servers.at("slow-stop").result == "timeout");
    const auto details = connected->details("limit");
    REQUIRE(details);
    CHECK(details->unit == units->servers.at("limit"));
    CHECK(details->main_pid == 0);
}

TEST_CASE("failed units are explained in two round trips, even more than the bus allows pending") {
    PlainServers servers;
    const auto names = numbered("broken-", 40);  // four requests each
    servers.add_all(names, "ExecStart=/usr/bin/false\nRestart=no");
    std::string all;
    for (const std::string& name : names) all += " " + unit(name);
    (void)run("systemctl start" + all);
    const std::string failed =
        "systemctl list-units --plain --no-legend --state=failed 'left4me-server@broken-*' | wc -l";
    REQUIRE(eventually([&] { return run(failed).output == "40\n"; }));
    const auto units = connect();
    const auto before = units->round_trips();
    const auto listed = units->list();
    REQUIRE(listed);
    CHECK(units->round_trips() - before == 2);
    for (const std::string& name : names) CHECK(listed->servers.at(name).result == "exit-code");
}

TEST_CASE(
    "details include process, time and restarts, in one round trip, also for units that are not loaded") {
    PlainServers servers;
    servers.add("shown", "ExecStart=/usr/bin/sleep infinity\nRestartSec=50ms");
    REQUIRE(run("systemctl enable --now " + unit("shown")).status == 0);
    const std::string first = property("shown", "MainPID");
    REQUIRE(kill(std::stoi(first), SIGKILL) == 0);
    REQUIRE(eventually([&] {
        const std::string pid = property("shown", "MainPID");
        return pid != "0" && pid != first && property("shown", "SubState") == "running";
    }));
    const auto units = connect();
    const auto before = units->round_trips();
    const auto details = units->details("shown");
    CHECK(units->round_trips() - before == 1);
    REQUIRE(details);
    CHECK(std::to_string(details->main_pid) == property("shown", "MainPID"));
    CHECK(details->restarts == 1);
    CHECK(details->unit.enablement == Enablement::Enabled);
    REQUIRE(details->since);
    const auto age = std::chrono::system_clock::now() - *details->since;
    CHECK((age > std::chrono::seconds(0) && age < std::chrono::minutes(1)));

    const auto unknown = units->details("never-heard-of");
    REQUIRE(unknown);
    CHECK(unknown->unit.active == ActiveState::Inactive);
    CHECK(unknown->unit.sub == "dead");
    CHECK_FALSE(unknown->since);
    CHECK_FALSE(units->details("../x"));
}

TEST_CASE("details of many units take one round trip, even more than the bus allows pending") {
    PlainServers servers;
    const auto names = numbered("many-", 150);  // three requests each
    servers.add_all({names[0], names[149]});
    REQUIRE(run("systemctl start " + unit(names[0]) + " " + unit(names[149])).status == 0);
    const auto units = connect();
    const auto before = units->round_trips();
    const auto details = units->details(names);
    CHECK(units->round_trips() - before == 1);
    REQUIRE(details);
    REQUIRE(details->size() == 150);
    for (const std::size_t at : {0U, 149U})
        CHECK(std::to_string(details->at(names[at]).main_pid) == property(names[at], "MainPID"));
    CHECK(details->at(names[75]).unit.active == ActiveState::Inactive);
    CHECK(units->details(std::span<const std::string>())->empty());
}

TEST_CASE("without a system bus the error says so, and a lost bus does not hang the caller") {
    FILE* bus = popen("exec dbus-daemon --session --nofork --print-address=1 --print-pid=1", "r");
    REQUIRE(bus != nullptr);
    char address[512] = {};
    char pid[32] = {};
    REQUIRE(fgets(address, sizeof address, bus) != nullptr);
    REQUIRE(fgets(pid, sizeof pid, bus) != nullptr);
    address[std::string_view(address).find('\n')] = '\0';
    REQUIRE(setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1) == 0);

    auto units = connect();
    const auto nobody_there = units->list();
    CHECK_FALSE(nobody_there);
    REQUIRE(kill(std::stoi(pid), SIGKILL) == 0);
    (void)pclose(bus);
    const auto gone = units->list();
    REQUIRE_FALSE(gone);
    CHECK(gone.error().find("is dbus.service running?") != std::string::npos);
    const std::vector<std::string> names{"a", "b"};
    units->begin(Verb::Start, names);
    const auto outcomes = units->wait();
    REQUIRE(outcomes.size() == 2);
    CHECK(outcomes[0].second.reason == FailureKind::Disconnected);
    CHECK(units->idle());
    CHECK_FALSE(Units::connect(Paths()));

    REQUIRE(unsetenv("DBUS_SYSTEM_BUS_ADDRESS") == 0);
    CHECK(units->list());  // it reconnects
}
