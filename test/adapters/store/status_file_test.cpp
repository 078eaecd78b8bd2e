#include "adapters/store/status_file.hpp"

#include <array>
#include <chrono>
#include <cstdio>

#include "adapters/store/clock.hpp"
#include "place.hpp"

using namespace left4me;

namespace {

Status a_status() {
    using namespace std::chrono_literals;
    Status status;
    status.last_attempted_revision = "r2";
    status.last_applied_revision = "r1";
    status.source_error = "a.yaml:1:2: what is this";
    status.last_pass = TimePoint(1'700'000'000'123'456us);
    ServerStatus server;
    server.generation = 3;
    server.specification = "spec";
    server.remembered.fingerprint = "abc";
    server.remembered.held_since = TimePoint(1'700'000'000'000'007us);
    server.remembered.warned = TimePoint(1'700'000'000'000'008us);
    server.remembered.tick = {.start = TimePoint(std::chrono::seconds(1'700'000'000)),
                              .read = std::chrono::milliseconds(90'000),
                              .slow = std::chrono::milliseconds(60'000),
                              .kept_up = std::chrono::milliseconds(30'000),
                              .is_slow = true,
                              .slow_since = TimePoint(1'700'000'000'000'010us),
                              .in_vain = 2};
    server.remembered.trial = {.rendering = "4f1c",
                               .healthy = TimePoint(1'700'000'000'000'009us),
                               .failure = "why",
                               .failed = "9ab0",
                               .failed_at = TimePoint(1'700'000'000'000'011us),
                               .fallback = "4f1c"};
    server.remembered.awaits_approval = "5f0c";
    server.remembered.awaits_removal = true;
    server.remembered.backoff = {
        3, TimePoint(7us), TimePoint(9us), true, true, FailureKind::StartLimitHit, "too often", "0011"};
    server.remembered.backoff.corrected_at = TimePoint(8us);
    status.overlays["maps"] = {1,     TimePoint(1us),       TimePoint(2us), false,
                               false, FailureKind::IOError, "full",         "aaaa"};
    status.refreshes["maps"] = {TimePoint(11us), status.overlays["maps"]};
    status.refreshes["pack"] = {TimePoint(12us), {}};
    server.last_attempted_revision = "r2";
    server.last_applied_revision = "r1";
    server.conditions = {
        {"Ready", ConditionStatus::False, HoldReason::RolloutPending, "waits", TimePoint(5us), 3},
        {"Stalled", ConditionStatus::Unknown, FailureKind::Unknown, "said \xff bytes", TimePoint(0us), 2}};
    status.servers["comp1"] = server;
    status.servers["comp2"] = {};
    return status;
}

}  // namespace

TEST_CASE("what is saved is loaded again, to the microsecond") {
    const Place place;
    Status status = a_status();
    status.servers["comp1"].conditions[1].message = "plain";
    REQUIRE(save_status(place.paths, status));
    const Status loaded = load_status(place.paths);
    CHECK(loaded.last_attempted_revision == "r2");
    CHECK(loaded.last_applied_revision == "r1");
    CHECK(loaded.source_error == status.source_error);
    CHECK(loaded.last_pass == status.last_pass);
    CHECK(loaded.refreshes == status.refreshes);
    REQUIRE(loaded.servers.size() == 2);
    const ServerStatus& server = loaded.servers.at("comp1");
    CHECK(server.generation == 3);
    CHECK(server.specification == "spec");
    CHECK(server.remembered.fingerprint == "abc");
    CHECK(server.remembered.held_since == status.servers["comp1"].remembered.held_since);
    CHECK(server.remembered.warned == status.servers["comp1"].remembered.warned);
    CHECK(server.remembered.tick == status.servers["comp1"].remembered.tick);
    CHECK(server.remembered.trial == status.servers["comp1"].remembered.trial);
    CHECK(server.remembered.awaits_approval == "5f0c");
    CHECK(server.remembered.awaits_removal);
    CHECK(server.remembered.backoff == status.servers["comp1"].remembered.backoff);
    CHECK(loaded.overlays == status.overlays);
    CHECK(loaded.servers.at("comp2").remembered.backoff == Backoff{});
    CHECK(loaded.servers.at("comp2").remembered.awaits_approval.empty());
    CHECK(server.last_attempted_revision == "r2");
    CHECK(server.last_applied_revision == "r1");
    CHECK(server.conditions == status.servers["comp1"].conditions);
    CHECK_FALSE(loaded.servers.at("comp2").remembered.held_since);
}

TEST_CASE("messages that are not UTF-8 do not keep the status from being saved") {
    const Place place;
    REQUIRE(save_status(place.paths, a_status()));
    CHECK(load_status(place.paths).servers.at("comp1").conditions.at(1).message.starts_with("said "));
}

TEST_CASE("a missing or damaged status is an empty one") {
    const Place place;
    CHECK(load_status(place.paths).servers.empty());
    REQUIRE(save_status(place.paths, a_status()));
    const std::string whole = place.read("state/status.json");
    for (const std::string& text :
         {std::string(), std::string("{"), std::string("[]"), std::string("{}"), std::string("null"),
          std::string(R"({"servers": 3})"), whole.substr(0, whole.size() / 2)}) {
        place.file("state/status.json", text);
        CHECK(load_status(place.paths).servers.empty());
        CHECK_FALSE(load_status(place.paths).last_pass);
    }
}

TEST_CASE("the fields of the status file keep their names") {
    const Place place;
    REQUIRE(save_status(place.paths, a_status()));
    const std::string text = place.read("state/status.json");
    for (const char* field : {"lastAttemptedRevision",
                              "lastAppliedRevision",
                              "sourceError",
                              "lastPass",
                              "servers",
                              "generation",
                              "specification",
                              "fingerprint",
                              "heldSince",
                              "conditions",
                              "type",
                              "status",
                              "reason",
                              "message",
                              "lastTransitionTime",
                              "observedGeneration",
                              "backoff",
                              "failures",
                              "failedAt",
                              "retryAt",
                              "correctedAt",
                              "slowSince",
                              "crashed",
                              "overlays",
                              "2023-11-14T22:13:20.123456Z"}) {
        INFO(field);
        CHECK(text.find(std::string("\"") + field + "\"") != std::string::npos);
    }
}

TEST_CASE("a process that keeps writing the status reads back only what others have written") {
    const Place place;
    StatusFile file(place.paths);
    REQUIRE(file.read_if_changed());
    CHECK_FALSE(file.read_if_changed());
    REQUIRE(file.save(a_status()));
    CHECK_FALSE(file.read_if_changed());

    Status theirs = a_status();
    theirs.source_error = "another pass found this";
    REQUIRE(save_status(place.paths, theirs));
    const auto read = file.read_if_changed();
    REQUIRE(read);
    CHECK(read->source_error == theirs.source_error);
    CHECK_FALSE(file.read_if_changed());

    place.remove("state/status.json");
    const auto lost = file.read_if_changed();
    REQUIRE(lost);
    CHECK(lost->servers.empty());
}

TEST_CASE("an unchanged status is not written, except for its time now and then") {
    using namespace std::chrono_literals;
    const Place place;
    StatusFile file(place.paths);
    Status status = a_status();
    REQUIRE(file.save(status));
    const TimePoint written = *status.last_pass;
    const auto kept_time = [&] { return load_status(place.paths).last_pass; };

    status.last_pass = written + 1s;
    REQUIRE(file.save(status));
    CHECK(kept_time() == written);
    status.servers["comp1"].remembered.backoff.failures = 4;
    REQUIRE(file.save(status));
    CHECK(kept_time() == written + 1s);

    SECTION("time goes on") { status.last_pass = written + 30s; }
    SECTION("the clock was set back") { status.last_pass = written - 1h; }
    REQUIRE(file.save(status));
    CHECK(kept_time() == status.last_pass);
}

TEST_CASE("a status that could not be written is kept and written later") {
    const Place place;
    StatusFile file(place.paths);
    (void)file.read_if_changed();
    place.directory("state/.status.json");
    const Status status = a_status();
    CHECK_FALSE(file.save(status));
    CHECK_FALSE(file.read_if_changed());
    place.remove("state/.status.json");
    REQUIRE(file.save(status));
    CHECK(load_status(place.paths).servers.contains("comp1"));
}

TEST_CASE("a deadline is counted from the same moment after the clock was set, back and forth or for good") {
    using namespace std::chrono_literals;
    const Place place;
    const TimePoint held = TimePoint(1'700'000'000'000'007us);
    Status status = a_status();
    REQUIRE(save_status(place.paths, status));
    // As if the host's clock had been off by that much when this was written.
    const auto wrote_when_clock_was_off = [&](std::chrono::seconds off) {
        const std::string text = place.read("state/status.json");
        const std::string key = "\"wall\": \"";
        const std::size_t at = text.find(key) + key.size();
        const TimePoint wall = read_clock().wall + off;
        const auto days = std::chrono::floor<std::chrono::days>(wall);
        const std::chrono::year_month_day date(days);
        const std::chrono::hh_mm_ss time(wall - days);
        std::array<char, 64> stamp{};
        (void)std::snprintf(stamp.data(), stamp.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ",
                            int(date.year()), unsigned(date.month()), unsigned(date.day()),
                            int(time.hours().count()), int(time.minutes().count()),
                            int(time.seconds().count()), int(time.subseconds().count()));
        place.file("state/status.json", text.substr(0, at) + stamp.data() + text.substr(text.find('"', at)));
        return *load_status(place.paths).servers.at("comp1").remembered.held_since;
    };
    CHECK(std::chrono::abs(wrote_when_clock_was_off(-24h) - (held + 24h)) < 2s);
    CHECK(std::chrono::abs(wrote_when_clock_was_off(24h) - (held - 24h)) < 2s);
    CHECK(wrote_when_clock_was_off(0s) == held);

    const std::string text = place.read("state/status.json");
    const std::string boot = read_clock().boot;
    REQUIRE(text.contains(boot));
    place.file("state/status.json", std::string(text).replace(text.find(boot), boot.size(), "another-boot"));
    CHECK(*load_status(place.paths).servers.at("comp1").remembered.held_since == held);
}

TEST_CASE("a jump is the difference between the clock's change and the time that has passed") {
    using namespace std::chrono_literals;
    const ClockMark noon{TimePoint(1'700'000'000s), 100s, "boot"};
    const auto later = [&](std::chrono::seconds wall, std::chrono::seconds since_boot, const char* boot) {
        return ClockMark{noon.wall + wall, noon.since_boot + since_boot, boot};
    };
    CHECK(jump_between(noon, later(3600s, 3600s, "boot")) == 0s);
    CHECK(jump_between(noon, later(-86390s, 10s, "boot")) == -86400s);
    CHECK(jump_between(noon, later(86410s, 10s, "boot")) == 86400s);
    CHECK(jump_between(noon, later(3600s, 3600s, "another")) == 0s);
    CHECK(jump_between(ClockMark{}, noon) == 0s);
}

TEST_CASE("a status of another version is read as far as it is known") {
    const Place place;
    // As written by version 0.1, before there were backoffs, a clock and approvals.
    place.file("state/status.json", R"({
 "lastAppliedRevision": "r1", "lastAttemptedRevision": "r2", "lastPass": "2026-03-01T12:00:00.000000Z",
 "servers": {
  "comp1": {"fingerprint": "abc", "generation": 3, "specification": "def", "heldSince": "2026-03-01T11:00:00.000000Z",
   "conditions": [{"type": "Ready", "status": "True", "reason": "Running", "message": "m"}],
   "fromTheFuture": {"a": [1]}},
  "comp2": {"generation": "not a number", "backoff": {"failures": 2, "reason": "ExitCode"}},
  "comp3": null},
 "somethingNew": true})");
    const Status status = load_status(place.paths);
    CHECK(status.last_attempted_revision == "r2");
    CHECK(status.last_pass);
    REQUIRE(status.servers.size() == 3);
    const ServerStatus& server = status.servers.at("comp1");
    CHECK(server.generation == 3);
    CHECK(server.remembered.fingerprint == "abc");
    CHECK(server.remembered.held_since);
    REQUIRE(server.conditions.size() == 1);
    CHECK(server.find("Ready")->status == ConditionStatus::True);
    CHECK(status.servers.at("comp2").generation == 0);
    CHECK(status.servers.at("comp2").remembered.backoff.failures == 2);
    CHECK(status.servers.at("comp3") == ServerStatus{});
}
