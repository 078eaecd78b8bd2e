#include "l4d2d/agenda.hpp"

#include "support/catch.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {
const Agenda::Time start{};
}

TEST_CASE("A key is on the agenda once, at its earliest time", "[agenda]") {
    Agenda agenda;
    CHECK_FALSE(agenda.next());
    agenda.add(Key::Host, start + 30s);
    agenda.add(Key::Host, start + 1s);
    agenda.add(Key::Host, start + 5s);
    CHECK(agenda.next() == start + 1s);
    CHECK_FALSE(agenda.take(Key::Host, start));
    CHECK(agenda.take(Key::Host, start + 1s));
    CHECK_FALSE(agenda.take(Key::Host, start + 60s));
}

TEST_CASE("Keys do not get in each other's way", "[agenda]") {
    Agenda agenda;
    agenda.add(Key::Source, start);
    agenda.add(Key::Host, start + 1s);
    CHECK(agenda.take(Key::Source, start));
    CHECK(agenda.has(Key::Host));
    CHECK_FALSE(agenda.has(Key::Source));
}

TEST_CASE("What keeps changing is read when it is quiet", "[agenda]") {
    Agenda agenda;
    agenda.put_off(Key::Source, start, 100ms, 2s);
    agenda.put_off(Key::Source, start + 80ms, 100ms, 2s);
    CHECK_FALSE(agenda.take(Key::Source, start + 100ms));
    CHECK(agenda.take(Key::Source, start + 180ms));
}

TEST_CASE("What never becomes quiet is read all the same", "[agenda]") {
    Agenda agenda;
    for (auto passed = 0ms; passed < 5s; passed += 50ms) {
        agenda.put_off(Key::Source, start + passed, 100ms, 2s);
        if (agenda.take(Key::Source, start + passed)) {
            CHECK(passed == 2s);
            return;
        }
    }
    FAIL("put off for ever");
}

TEST_CASE("A change puts a far resync nearer, not off", "[agenda]") {
    Agenda agenda;
    agenda.add(Key::Source, start + 30s);
    agenda.put_off(Key::Source, start + 1s, 100ms, 2s);
    CHECK(agenda.next() == start + 1100ms);
}

TEST_CASE("After a rest the host is looked at at once; while all is in motion, not all the time",
          "[agenda]") {
    Pace pace;
    CHECK(pace.earliest(start + 1s) == start + 1s);
    pace.looked(start + 1s, start + 1s + 20ms);
    CHECK(pace.earliest(start + 1s + 20ms) == start + 1s + 80ms);
    CHECK(pace.earliest(start + 2s) == start + 2s);
    pace.looked(start + 2s, start + 12s);
    CHECK(pace.earliest(start + 12s) == start + 12s + Pace::longest);
}

TEST_CASE("an interval with jitter is at most a tenth off, and differs from host to host", "[agenda]") {
    using namespace std::chrono_literals;
    CHECK(with_jitter(60s, 0) == 54s);
    CHECK(with_jitter(60s, 0.5) == 60s);
    CHECK(with_jitter(60s, 1) == 66s);
    CHECK(with_jitter(60s, 0.25) != with_jitter(60s, 0.75));
}
