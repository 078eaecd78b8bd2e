#include "adapters/events/crash.hpp"

#include "adapters/events/event_file.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {

Event crash_at(std::chrono::seconds at, unsigned count, const std::string& message) {
    Event event;
    event.at = event.last = TimePoint(at);
    event.subject = "server/a";
    event.warning = true;
    event.reason = crashed_reason;
    event.message = message;
    event.count = count;
    return event;
}

}  // namespace

TEST_CASE("a crash is told with what the game ended with, and how long it was up") {
    const ProcessEnd end{TimePoint(100h), end_text("dumped", "11")};
    CHECK(crash_text(end, end.at - 3h - 4min) == "signal 11 after 3 h");
    CHECK(crash_text({end.at, end_text("exited", "1")}, end.at - 2s) == "exit status 1 after 2 s");
    CHECK(crash_text({end.at, end_text("killed", "9")}, std::nullopt) == "signal 9");
    CHECK(crash_text(end, end.at + 1s) == "signal 11");
}

TEST_CASE("a crash loop is one event with a count, and crashes ten minutes apart are two") {
    Event other = crash_at(5s, 1, "signal 6 after 1 s");
    other.subject = "server/b";
    const std::vector<Event> events =
        merge_crashes({crash_at(0s, 1, "signal 6 after 3 h"), other, crash_at(10s, 4, "signal 6 after 1 s"),
                       crash_at(20s, 2, "signal 6 after 2 s"), crash_at(620s, 1, "signal 6 after 10 min")});
    REQUIRE(events.size() == 3);
    CHECK(events[0].subject == "server/b");
    CHECK(events[1].at == TimePoint(0s));
    CHECK(events[1].last == TimePoint(20s));
    CHECK(events[1].count == 7);
    CHECK(events[1].message == "signal 6 after 2 s");
    CHECK(events[2].count == 1);
}

TEST_CASE("an event of an older version happened once") {
    const auto event = parse_event(
        R"({"at":"2023-11-14T22:13:20Z","subject":"server/a","type":"Normal","reason":"Ready","message":"m",)"
        R"("revision":"r","actor":null,"drift":false})");
    REQUIRE(event);
    CHECK(event->count == 1);
    CHECK(event->last == event->at);
}
