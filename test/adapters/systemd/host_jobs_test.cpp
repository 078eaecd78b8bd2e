#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <thread>

#include "adapters/systemd/units.hpp"
#include "host/native/support.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::host;
using Clock = std::chrono::steady_clock;

namespace {

using Outcomes = std::map<std::string, UnitOutcome>;

std::unique_ptr<Units> connect() {
    auto units = Units::connect(Paths());
    REQUIRE(units);
    return std::move(*units);
}

/// Every outcome of one request; each server must be reported once.
Outcomes carry_out(Units& units, Verb verb, const std::vector<std::string>& servers) {
    Outcomes outcomes;
    units.begin(verb, servers);
    while (!units.idle()) {
        for (auto& [told_verb, outcome] : units.wait()) {
            CHECK(told_verb == verb);
            CHECK(outcomes.emplace(outcome.server, outcome).second);
        }
    }
    CHECK(units.wait().empty());
    CHECK(outcomes.size() == servers.size());
    return outcomes;
}

std::size_t done(const Outcomes& outcomes) {
    return static_cast<std::size_t>(
        std::count_if(outcomes.begin(), outcomes.end(), [](const auto& entry) { return entry.second.done; }));
}

}  // namespace

TEST_CASE("none of two hundred fast jobs is missed") {
    PlainServers servers;
    const auto names = numbered("fast-", 200);
    servers.add_all(names, "ExecStart=/usr/bin/sleep infinity");
    const auto units = connect();
    CHECK(done(carry_out(*units, Verb::Start, names)) == 200);
    CHECK(done(carry_out(*units, Verb::Start, names)) == 200);  // nothing to do: jobs that end immediately
    CHECK(done(carry_out(*units, Verb::Stop, names)) == 200);
    // The match, Subscribe and three requests, perhaps repeated while the helper starts: the number does not
    // grow with the number of servers.
    CHECK(units->round_trips() <= 12);
}

TEST_CASE("enable, disable and reset-failed report every server") {
    PlainServers servers;
    const auto names = numbered("files-", 50);
    servers.add_all(names);
    const auto units = connect();
    CHECK(done(carry_out(*units, Verb::Enable, names)) == 50);
    CHECK(units->list()->servers.at("files-7").enablement == Enablement::Enabled);
    CHECK(done(carry_out(*units, Verb::ResetFailed, names)) == 50);
    CHECK(done(carry_out(*units, Verb::Disable, names)) == 50);
    CHECK_FALSE(units->list()->servers.contains("files-7"));
}

TEST_CASE("a start that fails says why") {
    PlainServers servers;
    servers.add("no-program", "ExecStart=/nonexistent");
    servers.add("mount-fails", "ExecStartPre=/bin/sh -c 'exit 7'\nExecStart=/usr/bin/true");
    servers.add("slow", "ExecStartPre=/usr/bin/sleep 100\nExecStart=/usr/bin/true\nTimeoutStartSec=300ms");
    servers.add("limit", "ExecStart=/nonexistent\nExecStopPost=/usr/bin/true\nRestart=no");
    servers.add("fine");
    const auto units = connect();
    const auto outcomes = carry_out(*units, Verb::Start, {"no-program", "mount-fails", "slow", "fine"});
    CHECK(outcomes.at("no-program").reason == FailureKind::ExitCode);
    CHECK(outcomes.at("mount-fails").reason == FailureKind::ExitCode);
    CHECK(outcomes.at("mount-fails").message.find("mounting its overlay ended with status 7") !=
          std::string::npos);
    CHECK(outcomes.at("slow").reason == FailureKind::Timeout);
    CHECK(outcomes.at("fine").done);
    for (const auto& [server, outcome] : outcomes) {
        if (!outcome.done) CHECK(outcome.message.find("journalctl -u " + unit(server)) != std::string::npos);
    }
}

TEST_CASE("a start refused because of the start limit is distinguished from the failure that led there") {
    PlainServers servers;
    servers.add("limit", "ExecStart=/nonexistent\nRestart=no");
    const auto units = connect();
    FailureKind reason = FailureKind::Unknown;
    for (int i = 0; i < 8 && reason != FailureKind::StartLimitHit; ++i) {
        reason = carry_out(*units, Verb::Start, {"limit"}).at("limit").reason;
        INFO("start " << i << ": " << to_string(reason));
        CHECK((reason == FailureKind::ExitCode || (i >= 5 && reason == FailureKind::StartLimitHit)));
    }
    CHECK(reason == FailureKind::StartLimitHit);
    CHECK(carry_out(*units, Verb::ResetFailed, {"limit"}).at("limit").done);
    CHECK(carry_out(*units, Verb::Start, {"limit"}).at("limit").reason == FailureKind::ExitCode);
}

TEST_CASE("a server that refuses to stop delays no other and runs into no D-Bus timeout") {
    PlainServers servers;
    servers.add("stubborn", "ExecStart=/bin/sh -c 'trap : INT; while :; do sleep 1; done'");
    servers.add("polite");
    const auto units = connect();
    REQUIRE(done(carry_out(*units, Verb::Start, {"stubborn", "polite"})) == 2);
    REQUIRE(eventually([] { return traps_interrupts("stubborn"); }));
    const auto begun = Clock::now();
    units->begin(Verb::Stop, std::vector<std::string>{"stubborn", "polite"});
    const auto first = units->wait();
    REQUIRE(first.size() == 1);
    CHECK(first[0].second.server == "polite");
    CHECK(Clock::now() - begun < std::chrono::seconds(12));  // not TimeoutStopSec, 15 s
    // Meanwhile others are listed and started.
    CHECK(units->list()->servers.at("stubborn").active == ActiveState::Deactivating);
    units->begin(Verb::Start, std::vector<std::string>{"polite"});
    const auto second = units->wait();
    REQUIRE(second.size() == 1);
    CHECK(second[0].first == Verb::Start);
    CHECK(second[0].second.done);
    const auto last = units->wait();
    REQUIRE(last.size() == 1);
    CHECK(last[0].second.server == "stubborn");
    CHECK(last[0].second.done);
    CHECK(Clock::now() - begun > std::chrono::seconds(14));
    CHECK(units->list()->servers.at("stubborn").result == "timeout");
}

TEST_CASE("jobs outlive a re-execution of PID 1") {
    PlainServers servers;
    const auto names = numbered("again-", 20);
    servers.add_all(names, "ExecStartPre=/usr/bin/sleep 10\nExecStart=/usr/bin/sleep infinity");
    const auto units = connect();
    units->begin(Verb::Start, names);
    REQUIRE(eventually([] { return property("again-3", "ActiveState") == "activating"; }));
    REQUIRE(run("systemctl daemon-reexec").status == 0);
    std::size_t told = 0;
    while (!units->idle()) {
        for (const auto& [verb, outcome] : units->wait()) {
            INFO(to_string(outcome.reason) << ": " << outcome.message);
            CHECK(outcome.done);
            ++told;
        }
    }
    CHECK(told == 20);
}

TEST_CASE("a second request for the same jobs learns how they end, even if they end before its reply") {
    PlainServers servers;
    const auto names = numbered("twice-", 100);
    servers.add_all(names, "ExecStart=/usr/bin/sleep infinity");
    const auto units = connect();
    const auto begun = Clock::now();
    units->begin(Verb::Start, names);
    units->begin(Verb::Start, names);
    std::multiset<std::string> told;
    auto last = Clock::now();
    auto longest = Clock::duration::zero();
    while (!units->idle()) {
        for (const auto& [verb, outcome] : units->wait()) {
            CHECK(outcome.done);
            told.insert(outcome.server);
        }
        longest = std::max(longest, Clock::now() - last);
        last = Clock::now();
    }
    CHECK(told.size() == 200);
    INFO("all in " << std::chrono::duration<double>(Clock::now() - begun).count() << " s");
    // Lost jobs are found after ten seconds of silence.
    CHECK(longest < std::chrono::seconds(9));
}

TEST_CASE("a PID 1 that does not answer is asked again, and no job counts as lost") {
    const std::filesystem::path policy = "/etc/dbus-1/system.d/zz-silent.conf";
    write(policy,
          "<busconfig><policy context=\"mandatory\">"
          "<deny send_destination=\"org.freedesktop.systemd1\" send_member=\"ListJobs\"/>"
          "<deny send_destination=\"org.freedesktop.systemd1\" send_member=\"Get\"/>"
          "</policy></busconfig>");
    REQUIRE(run("systemctl reload dbus && sleep 0.5").status == 0);
    PlainServers servers;
    servers.add("slow", "ExecStartPre=/usr/bin/sleep 14\nExecStart=/usr/bin/sleep infinity");
    const auto units = connect();
    const auto outcomes = carry_out(*units, Verb::Start, {"slow"});
    CHECK(outcomes.at("slow").done);
    CHECK(outcomes.at("slow").reason != FailureKind::JobLost);
    std::filesystem::remove(policy);
    CHECK(run("systemctl reload dbus").status == 0);
}

TEST_CASE("a cancelled job is reported as canceled") {
    PlainServers servers;
    servers.add("turned", "ExecStartPre=/usr/bin/sleep 20\nExecStart=/usr/bin/sleep infinity");
    const auto units = connect();
    units->begin(Verb::Start, std::vector<std::string>{"turned"});
    REQUIRE(eventually([] { return property("turned", "ActiveState") == "activating"; }));
    (void)run("systemctl stop " + unit("turned"));
    const auto outcomes = units->wait();
    REQUIRE(outcomes.size() == 1);
    CHECK(outcomes[0].second.reason == FailureKind::Canceled);
}

TEST_CASE("a helper that does not start, and one that does not listen, are explained") {
    const auto units = connect();
    REQUIRE(run("systemctl stop left4me-helper; systemctl mask --runtime left4me-helper").status == 0);
    const auto missing = carry_out(*units, Verb::Enable, {"a"}).at("a");
    CHECK(missing.reason == FailureKind::HelperFailed);
    CHECK(missing.message.find("journalctl -u left4me-helper") != std::string::npos);
    REQUIRE(run("systemctl unmask --runtime left4me-helper").status == 0);

    const pid_t child = fork();
    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0) _exit(2);
        auto others = Units::connect(Paths());
        if (!others) _exit(3);
        (*others)->begin(Verb::Start, std::vector<std::string>{"a"});
        const auto outcomes = (*others)->wait();
        // Reading needs no privileges.
        const bool listed = (*others)->list().has_value();
        _exit(listed && outcomes.size() == 1 && outcomes[0].second.reason == FailureKind::AccessDenied ? 0
                                                                                                       : 4);
    }
    int status = 0;
    REQUIRE(waitpid(child, &status, 0) == child);
    CHECK(WEXITSTATUS(status) == 0);
}

TEST_CASE("invalid names get their outcome without a request") {
    const auto units = connect();
    const auto before = units->round_trips();
    const auto outcomes = carry_out(*units, Verb::Enable, {"../etc", "", "A"});
    CHECK(units->round_trips() == before);
    for (const auto& [server, outcome] : outcomes) CHECK(outcome.reason == FailureKind::InvalidName);
}
