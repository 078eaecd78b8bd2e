// The Host: left4me's drop-ins, and the pace of starts.
#include <algorithm>

#include "reconciler/events.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;
using namespace std::chrono_literals;

namespace {

const std::string all_servers = "left4me-server@.service";

struct TunedSite : Site {
    TunedSite() {
        ask_for(desired, "a", 1);
        host.world.tuning.cores = {{0, 4}, {1, 5}, {2, 6}, {3, 7}};
        (void)pass();
    }
    std::map<std::string, std::string>& files() { return host.world.tuning.drop_ins; }
    std::ptrdiff_t tunings() const {
        return std::count(host.calls.begin(), host.calls.end(),
                          FakeHost::Call{Verb::Tune, {Kind::Host, host_name}});
    }
    /// What a step would do about the host; nullopt: nothing.
    std::optional<Action> next() {
        Engine engine(host, status);
        const Plan plan = engine.observe({std::make_shared<const Desired>(desired), intent, {}})->difference;
        const auto found = std::find_if(plan.actions.begin(), plan.actions.end(), [](const Action& action) {
            return action.subject.kind == Kind::Host;
        });
        return found == plan.actions.end() ? std::nullopt : std::optional(*found);
    }
};

Server labeled(std::map<std::string, std::string> labels) {
    Server server;
    server.metadata.labels = std::move(labels);
    return server;
}

}  // namespace

TEST_CASE("a Host without a word about a server gives it no drop-in") {
    CHECK(make_tuning(HostManifest(), {{"a", labeled({})}}).empty());
}

TEST_CASE("processors of the system are those of three units, and the games' those of one") {
    HostManifest host;
    host.system_cpus = Cpus{0, 1};
    host.game_cpus = Cpus{2, 3};
    CHECK(make_tuning(host, {{"a", labeled({})}}) == Tuning{{"init.scope", {{"AllowedCPUs", "0-1"}}},
                                                            {"left4me.slice", {{"AllowedCPUs", "2-3"}}},
                                                            {"system.slice", {{"AllowedCPUs", "0-1"}}},
                                                            {"user.slice", {{"AllowedCPUs", "0-1"}}}});
}

TEST_CASE("a server with a label has all settings in a drop-in of its own, the later ones first") {
    HostManifest host;
    host.games = {{"Nice", "-5"}, {"MemoryMax", "4294967296"}};
    host.labeled = {{{{"pool", "big"}}, {{"MemoryMax", "8589934592"}}},
                    {{{"pool", "big"}, {"tier", "1"}}, {{"Nice", "-10"}}},
                    {{{"pool", "none"}}, {{"Nice", "0"}}}};
    const Tuning tuning = make_tuning(host, {{"a", labeled({})},
                                             {"b", labeled({{"pool", "big"}})},
                                             {"c", labeled({{"pool", "big"}, {"tier", "1"}})}});
    CHECK(tuning == Tuning{{all_servers, host.games},
                           {"left4me-server@b.service", {{"Nice", "-5"}, {"MemoryMax", "8589934592"}}},
                           {"left4me-server@c.service", {{"Nice", "-10"}, {"MemoryMax", "8589934592"}}}});
}

TEST_CASE("all servers have the pace of a boot, with a label or without") {
    HostManifest host;
    host.start_parallel = 8;
    host.labeled = {{{{"pool", "big"}}, {{"Nice", "-10"}}}};
    CHECK(make_tuning(host, {{"a", labeled({})}, {"b", labeled({{"pool", "big"}})}}) ==
          Tuning{{all_servers, {{"StartParallel", "8"}}},
                 {"left4me-server@b.service", {{"Nice", "-10"}, {"StartParallel", "8"}}}});
}

TEST_CASE("drop-ins are written once, corrected when somebody changes them, and removed with the Host") {
    TunedSite site;
    CHECK(site.tunings() == 0);
    site.desired.tuning = {{all_servers, {{"Nice", "-5"}}}};
    REQUIRE(site.next());
    CHECK(site.next()->reason == "left4me-server@.service is to have Nice=-5");
    CHECK_FALSE(site.next()->drift);
    CHECK(site.pass().remaining.empty());
    CHECK(site.files() ==
          std::map<std::string, std::string>{{all_servers, tuning_text(all_servers, {{"Nice", "-5"}})}});
    CHECK(site.pass().remaining.empty());
    CHECK(site.tunings() == 1);

    site.files().at(all_servers) += "Nice=0\n";
    CHECK(site.next()->reason ==
          "left4me-server@.service is to have Nice=-5, and its drop-in says something else");
    CHECK(site.next()->drift);
    CHECK(site.pass().remaining.empty());
    site.files().clear();
    CHECK(site.next()->drift);
    CHECK(site.pass().remaining.empty());
    site.files()["left4me-server@x.service"] = "";
    CHECK(site.next()->reason ==
          "left4me-server@x.service has a drop-in of left4me that no manifest asks for");
    CHECK(site.pass().remaining.empty());
    site.host.world.tuning.is_loaded = false;
    CHECK(site.next()->reason == "systemd has not read its drop-ins since they were written");
    CHECK(site.pass().remaining.empty());
    CHECK(site.tunings() == 5);

    site.desired.tuning = {};
    CHECK_FALSE(site.next()->drift);
    CHECK(site.pass().remaining.empty());
    CHECK(site.files().empty());
    CHECK(site.server("a").processes == 1);
    CHECK(site.host.violations.empty());
}

TEST_CASE("the plan says when running games get a lower limit of memory") {
    const std::string own = "left4me-server@a.service";
    const std::string loss =
        "; 1 running game gets a lower limit of memory at once, and is killed if it uses more";
    TunedSite site;
    const auto asks_for = [&site](Tuning tuning) {
        site.desired.tuning = std::move(tuning);
        return site.next()->reason;
    };
    CHECK(asks_for({{all_servers, {{"MemoryMax", "1073741824"}}}}).ends_with(loss));
    CHECK_FALSE(asks_for({{all_servers, {{"MemoryMax", "4294967296"}}}}).ends_with(loss));
    (void)site.pass();
    CHECK(asks_for({}).ends_with(loss));
    CHECK(asks_for({{all_servers, {{"MemoryMax", "4294967296"}}}, {own, {{"MemoryMax", "3221225472"}}}})
              .ends_with(loss));
    CHECK_FALSE(asks_for({{all_servers, {{"MemoryMax", "3221225472"}}}, {own, {{"MemoryMax", "4294967296"}}}})
                    .ends_with(loss));
    site.server("a").unit.active = ActiveState::Inactive;
    CHECK_FALSE(asks_for({}).ends_with(loss));
}

TEST_CASE("a helper that cannot write is asked again later, and at once for other settings") {
    TunedSite site;
    site.desired.tuning = {{all_servers, {{"Nice", "-5"}}}};
    site.host.fail_call = site.host.calls.size();
    (void)site.pass();
    const auto held = site.next();
    REQUIRE(held);
    CHECK(held->verb == Verb::Hold);
    CHECK(held->code == HoldReason::BackOff);
    CHECK(site.wake() == site.status.tuned.backoff.retry_at);
    site.desired.tuning = {{all_servers, {{"Nice", "-4"}}}};
    CHECK(site.next()->verb == Verb::Tune);
    site.desired.tuning = {{all_servers, {{"Nice", "-5"}}}};
    site.host.world.now += 1min;
    CHECK(site.pass().remaining.empty());
    CHECK_FALSE(site.next());
}

TEST_CASE("processors that the host does not have, or parts of a core, are refused and change nothing") {
    TunedSite site;
    site.desired.tuning = {{"left4me.slice", {{"AllowedCPUs", "1,5"}}}};
    CHECK(site.pass().remaining.empty());
    const auto files = site.files();
    site.desired.tuning = {{"left4me.slice", {{"AllowedCPUs", "2-3,6-8"}}}, {all_servers, {{"Nice", "-5"}}}};
    CHECK(site.next()->verb == Verb::Report);
    CHECK(site.next()->code == HoldReason::CpusUnusable);
    CHECK(site.next()->reason ==
          "left4me.slice is to have the processors 2-3,6-8, and this host has no processor 8: it has 0-7");
    site.desired.tuning = {{"left4me.slice", {{"AllowedCPUs", "2-5"}}}};
    CHECK(site.next()->reason ==
          "left4me.slice is to have the processors 2-5, but 4 and 0 are one core: write both or neither");
    (void)site.pass();
    CHECK(site.files() == files);
}

TEST_CASE("nothing is tuned while everything is suspended") {
    TunedSite site;
    site.desired.tuning = {{all_servers, {{"Nice", "-5"}}}};
    site.intent.suspended.all = Suspension{"new disks", "alice", {}, {}};
    CHECK(site.pass().remaining.empty());
    CHECK(site.tunings() == 0);
}

TEST_CASE("as many servers come up at the same time as the Host says") {
    Site site;
    for (const char* name : {"a", "b", "c", "d", "e"})
        ask_for(site.desired, name, static_cast<std::uint16_t>(name[0]));
    site.desired.start_parallel = 2;
    site.host.up_for = 0s;
    const auto up = [&site] {
        return std::count_if(
            site.host.world.servers.begin(), site.host.world.servers.end(),
            [](const auto& server) { return server.second.unit.active == ActiveState::Active; });
    };
    const RunResult first = site.pass();
    CHECK(up() == 2);
    const auto waits =
        std::find_if(first.remaining.actions.begin(), first.remaining.actions.end(),
                     [](const Action& action) { return action.code == HoldReason::StartPending; });
    REQUIRE(waits != first.remaining.actions.end());
    CHECK(waits->reason.ends_with("; waits until others have come up: startParallel is 2"));
    CHECK(site.condition("e", "Reconciling").reason == ConditionReason(HoldReason::StartPending));
    (void)site.pass();
    CHECK(up() == 2);
    const auto wake = site.wake();
    REQUIRE(wake);
    site.host.world.now = *wake;
    (void)site.pass();
    CHECK(up() == 4);
    site.host.world.now += 1min;
    CHECK(site.pass().remaining.empty());
    CHECK(up() == 5);
    CHECK(site.host.violations.empty());
}

namespace {

/// a has just come up, b is down, and one may come up at a time.
struct PacedSite : Site {
    PacedSite() {
        host.world.now = TimePoint(100h);
        host.up_for = 0s;
        desired.start_parallel = 1;
        ask_for(desired, "a", 1);
        (void)pass();
        ask_for(desired, "b", 2);
        (void)pass();
    }
    bool is_up(const std::string& name) {
        const auto found = host.world.servers.find(name);
        return found != host.world.servers.end() && found->second.unit.active == ActiveState::Active;
    }
    void crash_after(std::chrono::seconds time) {
        host.world.now += time;
        host.crash("a");
        (void)pass();
    }
};

}  // namespace

TEST_CASE("servers wait for one that has crashed once, and not for one that crashes again and again") {
    PacedSite site;
    REQUIRE(site.is_up("a"));
    REQUIRE_FALSE(site.is_up("b"));
    site.crash_after(4s);
    CHECK_FALSE(site.is_up("b"));
    site.crash_after(9s);
    CHECK(site.is_up("b"));
    CHECK(site.host.violations.empty());
}

TEST_CASE("servers do not wait for one that systemd is starting again") {
    PacedSite site;
    site.server("a").unit.active = ActiveState::Activating;
    site.server("a").unit.sub = "auto-restart";
    (void)site.pass();
    CHECK(site.is_up("b"));
}

TEST_CASE("a server that waits for its port takes nobody's turn") {
    Site site;
    ask_for(site.desired, "b", 1);
    (void)site.pass();
    REQUIRE(site.server("b").processes == 1);
    site.server("b").players = 3;
    ask_for(site.desired, "b", 2).rollout.policy = RolloutPolicy::WhenEmpty;
    ask_for(site.desired, "a", 1);
    ask_for(site.desired, "z", 3);
    site.desired.start_parallel = 1;
    (void)site.pass();
    CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::PortInUse));
    CHECK(site.server("z").processes == 1);
    CHECK(site.server("b").processes == 1);

    // a has its turn when b has left the port.
    site.server("b").players = 0;
    site.host.world.now += 1min;
    (void)site.pass();
    site.host.world.now += 1min;
    CHECK(site.pass().remaining.empty());
    CHECK(site.server("a").processes == 1);
    CHECK(site.host.violations.empty());
}
