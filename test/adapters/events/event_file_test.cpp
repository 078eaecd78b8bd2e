#include "adapters/events/event_file.hpp"

#include <fstream>
#include <thread>

#include "adapters/events/lines.hpp"
#include "adapters/events/record.hpp"
#include "adapters/store/requests.hpp"
#include "adapters/store/suspensions.hpp"
#include "place.hpp"
#include "support/catch.hpp"

using namespace left4me;
using left4me::test::Place;

namespace {

Event an_event() {
    Event event;
    event.at = TimePoint(std::chrono::microseconds(1'700'000'000'123'456));
    event.subject = "server/comp1";
    event.warning = true;
    event.reason = "StartFailed";
    event.message = "it said \"no\"\nand more";
    event.revision = "r1";
    event.actor = "alice";
    event.drift = true;
    event.count = 3;
    event.last = event.at + std::chrono::minutes(1);
    return event;
}

}  // namespace

TEST_CASE("an event is one line, and reads back as it was") {
    const std::string line = event_line(an_event());
    CHECK(line.find('\n') == std::string::npos);
    CHECK(parse_event(line) == an_event());
    CHECK(line.starts_with(
        R"({"at":"2023-11-14T22:13:20.123456Z","subject":"server/comp1","type":"Warning",)"));
    CHECK_FALSE(parse_event(line.substr(0, line.size() / 2)));
}

TEST_CASE("events are appended, and a truncated one loses only itself") {
    const Place place;
    Event event = an_event();
    REQUIRE(append_events(place.paths, std::vector{event}));
    std::ofstream(events_path(place.paths), std::ios::app) << R"({"at":"2023)";
    event.message = "second";
    REQUIRE(append_events(place.paths, std::vector{event, event}));
    const std::vector<Event> events = read_events(place.paths);
    REQUIRE(events.size() == 3);
    CHECK(events[0].message == "it said \"no\"\nand more");
    CHECK(events[2].message == "second");
}

TEST_CASE("a message of any length and bytes is one line") {
    const Place place;
    Event event = an_event();
    event.message = std::string(100'000, 'x');
    REQUIRE(append_events(place.paths, std::vector{event}));
    event.message = "said \xff\xfe bytes";
    REQUIRE(append_events(place.paths, std::vector{event}));
    const std::vector<Event> events = read_events(place.paths);
    REQUIRE(events.size() == 2);
    CHECK(events[0].message.size() == 4096);
    CHECK(events[1].message.starts_with("said "));
}

TEST_CASE("the file is rotated at its limit, one older file is kept, and readers see both") {
    const Place place;
    const std::filesystem::path path = place.path() / "lines.jsonl";
    for (int i = 0; i < 100; ++i)
        REQUIRE(append_lines(path, {std::string(100, 'a'), std::to_string(i)}, 1000));
    CHECK(std::filesystem::file_size(path) <= 1200);
    CHECK(std::filesystem::file_size(older_file(path)) <= 1200);
    const std::vector<std::string> lines = read_lines(path);
    CHECK(lines.back() == "99");
    CHECK(lines.size() >= 18);
    CHECK(older_file(path).filename() == "lines.1.jsonl");
}

TEST_CASE("concurrent writers, also during rotation, lose and mix no lines") {
    const Place place;
    const std::filesystem::path path = place.path() / "lines.jsonl";
    std::vector<std::thread> threads;
    for (int who = 0; who < 4; ++who) {
        threads.emplace_back([&path, who] {
            for (int i = 0; i < 200; ++i)
                (void)append_lines(path, {std::to_string(who) + ":" + std::to_string(i)},
                                   std::size_t{1} << 20U);
        });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<std::string> lines = read_lines(path);
    std::sort(lines.begin(), lines.end());
    CHECK(lines.size() == 800);
    CHECK(std::unique(lines.begin(), lines.end()) == lines.end());
}

TEST_CASE("events that a person asked for have their name as actor, others have none") {
    const Place place;
    Event asked = an_event();
    asked.actor.clear();
    asked.drift = false;
    Event drift = asked;
    drift.drift = true;
    REQUIRE(record(place.paths, {asked, drift}, "bob"));
    const std::vector<Event> events = read_events(place.paths);
    REQUIRE(events.size() == 2);
    CHECK(events[0].actor == "bob");
    CHECK(events[1].actor.empty());
}

TEST_CASE("no events, no file") {
    const Place place;
    REQUIRE(record(place.paths, {}));
    CHECK_FALSE(place.has("state/events.jsonl"));
}

TEST_CASE(
    "requests for restarts read back as they were; a missing file asks for none, a damaged one is an error") {
    const Place place;
    CHECK(load_restart_requests(place.paths) == RestartRequests{});
    const RestartRequests requests{{.by = "alice",
                                    .at = TimePoint(std::chrono::seconds(5)),
                                    .when_empty = true,
                                    .staggered = false,
                                    .invocations = {{"comp1", "0123"}, {"comp2", "4567"}}},
                                   {.by = "bob",
                                    .at = TimePoint(std::chrono::seconds(6)),
                                    .when_empty = false,
                                    .staggered = true,
                                    .invocations = {{"comp3", "89ab"}}}};
    REQUIRE(save_restart_requests(place.paths, requests));
    CHECK(load_restart_requests(place.paths) == requests);
    place.write("state/restarts.json", "[{");
    CHECK_FALSE(load_restart_requests(place.paths));
}

TEST_CASE("suspensions read back as they were; a missing file suspends nothing, a damaged one is an error") {
    const Place place;
    CHECK(load_suspensions(place.paths) == Suspensions{});
    Suspensions suspensions;
    suspensions.servers["comp1"] = {"map testing", "alice", TimePoint(std::chrono::seconds(5)),
                                    TimePoint(std::chrono::seconds(9))};
    REQUIRE(save_suspensions(place.paths, suspensions));
    CHECK(load_suspensions(place.paths) == suspensions);
    suspensions.all = Suspension{"moving house", "bob", {}, {}};
    REQUIRE(save_suspensions(place.paths, suspensions));
    CHECK(load_suspensions(place.paths) == suspensions);
    place.write("state/suspensions.json", "{\"all\": nul");
    const auto damaged = load_suspensions(place.paths);
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().find("l4d2ctl resume --all") != std::string::npos);
}
