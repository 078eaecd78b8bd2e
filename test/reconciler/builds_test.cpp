// Overlays that a unit builds: when it is started, and what waits for it.
#include <algorithm>

#include "reconciler/events.hpp"
#include "reconciler/wake.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"

using namespace left4me;
using namespace left4me::test;
using namespace std::chrono_literals;

namespace {

const Subject overlay{Kind::Overlay, "o"};

/// Server `a` with the overlay `o`, a directory.
struct BuildSite : Site {
    BuildSite() {
        host.world.now = TimePoint(100h);
        desired.overlays.emplace("o", DirectorySource{});
        ask_for(desired, "a", 1).overlays = {"o"};
        hold("aaaa");
    }

    void hold(const std::string& content) { host.world.sources.insert_or_assign("o", content); }

    /// As a pass without a daemon: until builds have ended.
    RunResult complete() {
        const Status before = status;
        auto result = run(host, desired, intent, status, Builds::AreAwaited);
        REQUIRE(result);
        for (const Event& event : events_of(before, desired.revision, intent, result->ended.plan,
                                            result->ended.outcomes, status)) {
            if (event.subject == "overlay/o" && event.reason != "Pruned") told.push_back(event.reason);
        }
        return *result;
    }

    auto builds() const {
        return std::count(host.calls.begin(), host.calls.end(), FakeHost::Call{Verb::Build, overlay});
    }

    const Action* find(const Plan& plan, const Subject& subject) const {
        const auto found = std::find_if(plan.actions.begin(), plan.actions.end(),
                                        [&](const Action& action) { return action.subject == subject; });
        return found == plan.actions.end() ? nullptr : &*found;
    }

    std::vector<std::string> told;  ///< of the overlay
};

}  // namespace

TEST_CASE("who waits for a build renders and starts what waited for it, in the same run") {
    BuildSite site;
    CHECK(site.complete().remaining.empty());
    CHECK(site.builds() == 1);
    CHECK(site.server("a").unit.active == ActiveState::Active);
    CHECK(site.told == std::vector<std::string>{"BuildStarted", "Built"});
    CHECK(site.complete().remaining.empty());
    CHECK(site.builds() == 1);
    CHECK(site.told.size() == 2);
    CHECK(site.host.violations.empty());
}

TEST_CASE("a build is begun once, and held for while it is under way") {
    BuildSite site;
    site.host.hanging = {"o"};
    for (int i = 0; i < 5; ++i) {
        const Plan left = site.pass().remaining;
        CHECK(site.builds() == 1);
        const Action* const hold = site.find(left, overlay);
        REQUIRE(hold != nullptr);
        CHECK(hold->code == HoldReason::Building);
    }
    CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::Building));
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::False);
    site.host.hanging.clear();
    site.host.end_builds();
    CHECK(site.pass().remaining.empty());
    CHECK(site.builds() == 1);
}

TEST_CASE("while a source is read for the first time, it is neither missing nor in need of a person") {
    BuildSite site;
    site.host.unread = {"o"};
    const Plan left = site.pass().remaining;
    REQUIRE(site.find(left, overlay) != nullptr);
    CHECK(site.find(left, overlay)->code == HoldReason::ReadingSource);
    CHECK(site.condition("a", "Reconciling").reason == ConditionReason(HoldReason::ReadingSource));
    CHECK(site.condition("a", "Stalled").status == ConditionStatus::False);
    site.host.unread.clear();
    CHECK(site.complete().remaining.empty());
}

TEST_CASE("a failed build backs off; another content and a person are tried at once") {
    BuildSite site;
    (void)site.complete();
    site.told.clear();
    site.hold("bbbb");
    site.host.failing_builds["o"] = BuildFailureKind::NoSpace;
    const RunResult failed = site.complete();
    CHECK(site.builds() == 2);
    REQUIRE(site.find(failed.remaining, overlay) != nullptr);
    CHECK(site.find(failed.remaining, overlay)->code == HoldReason::BackOff);
    CHECK(site.find(failed.remaining, overlay)->reason.ends_with("the last time: NoSpace"));
    CHECK(site.server("a").unit.active == ActiveState::Active);
    CHECK(site.told == std::vector<std::string>{"BuildStarted", "BuildFailed"});
    (void)site.complete();
    CHECK(site.builds() == 2);

    site.ask_for_retry();
    (void)site.complete();
    CHECK(site.builds() == 3);
    const TimePoint retry = *site.status.overlays.at("o").retry_at;
    CHECK(retry - *site.status.overlays.at("o").failed_at > 15s);  // the second failure in a row
    CHECK(earliest_wake(site.host.target(site.desired), {}, site.status, {}, site.host.world.now) == retry);

    site.hold("cccc");
    (void)site.complete();
    CHECK(site.builds() == 4);
    site.host.failing_builds.clear();
    site.host.world.now = *site.status.overlays.at("o").retry_at;
    CHECK(site.complete().remaining.empty());
    // What fails as it did the last time is no news.
    CHECK(site.told == std::vector<std::string>{"BuildStarted", "BuildFailed", "Built"});
}

TEST_CASE("a retry that a person asks for while the unit of a failed build is still ending is not lost") {
    BuildSite site;
    site.host.failing_builds["o"] = BuildFailureKind::NoSpace;
    (void)site.complete();
    REQUIRE(site.builds() == 1);
    site.host.world.building["o"] = "aaaa";  // its record is written, or a check has begun
    site.host.hanging = {"o"};
    site.ask_for_retry();
    const Plan left = site.pass().remaining;
    REQUIRE(site.find(left, overlay) != nullptr);
    CHECK(site.find(left, overlay)->code == HoldReason::Building);
    CHECK(site.builds() == 1);
    site.host.world.building.clear();
    site.host.hanging.clear();
    site.host.world.now += 1s;
    SECTION("what is mended by then is built") {
        site.host.failing_builds.clear();
        CHECK(site.complete().remaining.empty());
        CHECK(site.builds() == 2);
    }
    SECTION("what fails again backs off as always") {
        for (int i = 0; i < 5; ++i) {
            const RunResult failed = site.complete();
            CHECK(site.builds() == 2);
            REQUIRE(site.find(failed.remaining, overlay) != nullptr);
            CHECK(site.find(failed.remaining, overlay)->code == HoldReason::BackOff);
            site.host.world.now += 1s;
        }
        CHECK(site.status.overlays.at("o").failures == 2);
    }
    SECTION("and one that failed to leave a record") {
        site.host.unrecorded_builds = {"o"};
        for (int i = 0; i < 5; ++i) {
            (void)site.pass();
            site.host.end_builds();
            CHECK(site.builds() == 2);
        }
    }
}

TEST_CASE("a source that changes whenever it is copied is retried at once, then at growing intervals") {
    BuildSite site;
    site.host.failing_builds["o"] = BuildFailureKind::SourceChanged;
    unsigned failures = 0;
    for (int i = 0; i < 1000; ++i) {  // as events arrive during two minutes
        site.hold("content" + std::to_string(i));
        (void)site.pass();
        site.host.end_builds();
        auto& failure = site.host.world.records["o"].failure;
        if (failure->failures == 1 && failures > 0) failure->failures = ++failures;  // as the program counts
        failures = std::max(failures, 1U);
        site.host.world.now += 120ms;
    }
    CHECK(site.builds() > 2);
    CHECK(site.builds() <= 8);
}

TEST_CASE("a unit that cannot be started backs off like any other action") {
    BuildSite site;
    site.host.fail_call = 0;
    for (int i = 0; i < 10; ++i) (void)site.pass();
    CHECK(site.builds() == 1);
    site.host.world.now = *site.status.overlays.at("o").retry_at;
    CHECK(site.complete().remaining.empty());
}

TEST_CASE("a build that cannot write its record is not begun again and again, except for a person") {
    BuildSite site;
    site.host.unrecorded_builds = {"o"};
    for (int i = 0; i < 600; ++i) {  // as events arrive during a minute
        (void)site.pass();
        site.host.end_builds();
        site.host.world.now += 100ms;
    }
    CHECK(site.builds() > 2);
    CHECK(site.builds() <= 7);
    (void)site.pass();
    site.host.end_builds();
    const RunResult held = site.pass();
    REQUIRE(site.find(held.remaining, overlay) != nullptr);
    CHECK(site.find(held.remaining, overlay)->code == HoldReason::BackOff);
    CHECK(earliest_wake(held.target, {}, site.status, held.remaining, held.observed.now) ==
          site.host.world.requested.at("o") + 10s);

    site.host.unrecorded_builds.clear();
    site.ask_for_retry();
    CHECK(site.complete().remaining.empty());
    // What comes later is built at once.
    site.hold("bbbb");
    CHECK(site.complete().remaining.empty());
}

TEST_CASE("a canceled build is begun again by another content, or by a person") {
    BuildSite site;
    site.host.world.canceled["o"] = "aaaa";
    const RunResult canceled = site.complete();
    CHECK(site.builds() == 0);
    CHECK(site.find(canceled.remaining, overlay)->code == HoldReason::BuildCanceled);
    CHECK(site.condition("a", "Stalled").reason == ConditionReason(HoldReason::BuildCanceled));
    SECTION("another content") {
        site.hold("bbbb");
        CHECK(site.complete().remaining.empty());
        CHECK(site.builds() == 1);
    }
    SECTION("a person") {
        site.ask_for_retry();
        CHECK(site.complete().remaining.empty());
        CHECK(site.builds() == 1);
    }
}

TEST_CASE("a build that is canceled after a person asked for a retry stays canceled") {
    BuildSite site;
    site.ask_for_retry();
    site.host.world.canceled["o"] = "aaaa";
    site.host.world.canceled_at["o"] = site.host.world.now + 1s;
    site.host.world.now += 2s;
    CHECK(site.find(site.complete().remaining, overlay)->code == HoldReason::BuildCanceled);
    CHECK(site.builds() == 0);
    site.ask_for_retry();
    CHECK(site.complete().remaining.empty());
    CHECK(site.builds() == 1);
}

TEST_CASE("the build of an overlay that no manifest asks for is stopped") {
    BuildSite site;
    site.host.hanging = {"o"};
    (void)site.pass();
    REQUIRE(site.host.world.building.contains("o"));
    site.desired.servers.at("a").overlays.clear();
    SECTION("it is not there any more") { site.desired.overlays.clear(); }
    SECTION("its files stand in the manifest now") { site.desired.overlays["o"] = InlineSource{}; }
    site.host.hanging.clear();
    CHECK(site.pass().remaining.empty());
    CHECK(site.host.world.building.empty());
    CHECK(site.host.calls.back().subject.kind != Kind::Overlay);
}

TEST_CASE("an artifact without a record is built once more, and its servers do not notice") {
    BuildSite site;
    (void)site.complete();
    const unsigned processes = site.server("a").processes;
    site.host.world.records.clear();
    site.server("a").unit.enablement = Enablement::Disabled;  // drift is corrected meanwhile
    const auto artifacts = site.host.world.overlay_artifacts;
    CHECK(site.complete().remaining.empty());
    CHECK(site.builds() == 2);
    CHECK(site.server("a").processes == processes);
    CHECK(site.server("a").unit.enablement == Enablement::Enabled);
    CHECK(site.host.world.overlay_artifacts == artifacts);
}

TEST_CASE("an artifact that somebody removed is built again") {
    BuildSite site;
    (void)site.complete();
    site.host.world.overlay_artifacts.clear();
    CHECK(site.complete().remaining.empty());
    CHECK(site.builds() == 2);
}

TEST_CASE("an overlay that only a suspended server uses is not built") {
    BuildSite site;
    site.intent.suspended.servers["a"] = Suspension{"", "", site.host.world.now, {}};
    (void)site.complete();
    CHECK(site.builds() == 0);
}

TEST_CASE("an archive is identified by its content and what becomes of it, not by where it is") {
    ArchiveSource source;
    source.locations = {{"https://example.org/a.zip", ""}};
    source.sha256 = std::string(64, 'a');
    source.exclude = {"a", "b"};
    const std::string input = fingerprint(source);
    ArchiveSource same = source;
    same.locations = {{"/srv/left4me/b.zip", "/srv/left4me"}};
    same.limits.entries = 1;
    same.private_networks = {"10.0.0.0/8"};
    CHECK(fingerprint(same) == input);
    const auto differs = [&](auto change) {
        ArchiveSource other = source;
        change(other);
        return fingerprint(other) != input;
    };
    CHECK(differs([](ArchiveSource& other) { other.sha256.back() = 'b'; }));
    CHECK(differs([](ArchiveSource& other) { other.into = "left4dead2"; }));
    CHECK(differs([](ArchiveSource& other) { other.strip_components = 1; }));
    CHECK(differs([](ArchiveSource& other) { other.exclude = {"ab"}; }));
    CHECK(differs([](ArchiveSource& other) { other.exclude = {"b", "a"}; }));
}

TEST_CASE("an overlay from git is identified by what the manifest says, not by what a branch stands for") {
    GitSource source;
    source.url = "https://example.org/pack.git";
    source.ref = "main";
    source.exclude = {"a", "b"};
    const std::string input = fingerprint(source);
    GitSource same = source;
    same.limits.entries = 1;
    same.private_networks = {"10.0.0.0/8"};
    CHECK(fingerprint(same) == input);
    const auto differs = [&](auto change) {
        GitSource other = source;
        change(other);
        return fingerprint(other) != input;
    };
    CHECK(differs([](GitSource& other) { other.url += "x"; }));
    CHECK(differs([](GitSource& other) { other.ref.clear(); }));
    CHECK(differs([](GitSource& other) { other.path = "main"; }));
    CHECK(differs([](GitSource& other) { std::swap(other.ref, other.into); }));
    CHECK(differs([](GitSource& other) { other.exclude = {"ab"}; }));
}

TEST_CASE("a map index is identified by where it is, and by what is left out") {
    MapIndexSource source;
    source.url = "https://example.org/index.csv";
    source.exclude = {"a", "b"};
    const std::string input = fingerprint(source);
    MapIndexSource same = source;
    same.limits.entries = 1;
    same.private_networks = {"10.0.0.0/8"};
    CHECK(fingerprint(same) == input);
    const auto differs = [&](auto change) {
        MapIndexSource other = source;
        change(other);
        return fingerprint(other) != input;
    };
    CHECK(differs([](MapIndexSource& other) { other.url += "?2"; }));
    CHECK(differs([](MapIndexSource& other) { other.exclude = {"ab"}; }));
    CHECK(differs([](MapIndexSource& other) { other.exclude.clear(); }));
}

TEST_CASE("workshop items are identified by their numbers") {
    WorkshopSource source;
    source.items = {"1", "2"};
    const std::string input = fingerprint(source);
    WorkshopSource same = source;
    same.limits.entries = 1;
    CHECK(fingerprint(same) == input);
    WorkshopSource other = source;
    other.items = {"1"};
    other.collections = {"2"};
    CHECK(fingerprint(other) != input);
    other = source;
    other.exclude = {"3"};
    CHECK(fingerprint(other) != input);
}

TEST_CASE("a script is identified by its text and its settings") {
    const ScriptSource source{"true", ScriptNetwork::None, std::chrono::minutes(30), 2, 3, {}};
    const std::string input = fingerprint(source);
    ScriptSource same = source;
    same.limits.entries = 1;
    CHECK(fingerprint(same) == input);
    const auto differs = [&](auto change) {
        ScriptSource other = source;
        change(other);
        return fingerprint(other) != input;
    };
    CHECK(differs([](ScriptSource& other) { other.run += "\n"; }));
    CHECK(differs([](ScriptSource& other) { other.network = ScriptNetwork::Public; }));
    CHECK(differs([](ScriptSource& other) { other.timeout = std::chrono::minutes(31); }));
    CHECK(differs([](ScriptSource& other) { other.memory = 3; }));
    CHECK(differs([](ScriptSource& other) { other.disk = 4; }));
}

TEST_CASE("only a script needs the unit that runs one") {
    CHECK(runs_script(ScriptSource{}));
    CHECK(is_built_by_unit(ScriptSource{}));
    CHECK_FALSE(runs_script(ArchiveSource{}));
}

TEST_CASE("the progress of a build says what it is doing") {
    constexpr std::uint64_t mib = 1U << 20U;
    CHECK(to_text(BuildProgress{mib, 2 * mib, 1, 3, "", BuildPhase::Copying}) ==
          "1 of 3 files, 1.0 of 2.0 MiB");
    CHECK(to_text(BuildProgress{mib, 2 * mib, 0, 0, "", BuildPhase::Downloading}) ==
          "downloading, 1.0 of 2.0 MiB");
    CHECK(to_text(BuildProgress{mib, 0, 0, 0, "", BuildPhase::Downloading}) == "downloading, 1.0 MiB");
    CHECK(to_text(BuildProgress{mib, 2 * mib, 4, 0, "", BuildPhase::Unpacking}) ==
          "unpacking, 4 files, 1.0 of 2.0 MiB of what was downloaded");
    BuildProgress one{mib, 2 * mib, 0, 0, "", BuildPhase::Downloading, 3, 4, "c1.vpk"};
    CHECK(to_text(one) == "c1.vpk (3 of 4): downloading, 1.0 of 2.0 MiB");
    CHECK(percent(one) == 62);
    one.phase = BuildPhase::Copying;
    one.total_bytes = 0;
    CHECK(to_text(one) == "c1.vpk (3 of 4): copying, 1.0 MiB");
    CHECK(percent(one) == 50);
    one.item = 9;
    CHECK(percent(one) == 100);
    one.item = 0;
    CHECK(percent(one) == 0);
    BuildProgress running;
    running.phase = BuildPhase::Running;
    running.elapsed = std::chrono::seconds(7);
    CHECK(to_text(running) == "running its script, 7 s");
    running.elapsed = std::chrono::seconds(150);
    CHECK(to_text(running) == "running its script, 2 m");
}
