#include "l4d2d/work_queue.hpp"

#include "support/catch.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {
const WorkQueue::Time start{};
}

TEST_CASE("a key is in the queue once, at its earliest time", "[queue]") {
    WorkQueue queue;
    CHECK_FALSE(queue.next());
    queue.add(Key::Host, start + 30s);
    queue.add(Key::Host, start + 1s);
    queue.add(Key::Host, start + 5s);
    CHECK(queue.next() == start + 1s);
    CHECK_FALSE(queue.take(Key::Host, start));
    CHECK(queue.take(Key::Host, start + 1s));
    CHECK_FALSE(queue.take(Key::Host, start + 60s));
}

TEST_CASE("keys are independent", "[queue]") {
    WorkQueue queue;
    queue.add(Key::Source, start);
    queue.add(Key::Host, start + 1s);
    CHECK(queue.take(Key::Source, start));
    CHECK(queue.has(Key::Host));
    CHECK_FALSE(queue.has(Key::Source));
}

TEST_CASE("a changing source is read when it is quiet", "[queue]") {
    WorkQueue queue;
    queue.put_off(Key::Source, start, 100ms, 2s);
    queue.put_off(Key::Source, start + 80ms, 100ms, 2s);
    CHECK_FALSE(queue.take(Key::Source, start + 100ms));
    CHECK(queue.take(Key::Source, start + 180ms));
}

TEST_CASE("a source that never becomes quiet is read anyway", "[queue]") {
    WorkQueue queue;
    for (auto passed = 0ms; passed < 5s; passed += 50ms) {
        queue.put_off(Key::Source, start + passed, 100ms, 2s);
        if (queue.take(Key::Source, start + passed)) {
            CHECK(passed == 2s);
            return;
        }
    }
    FAIL("put off for ever");
}

TEST_CASE("a change brings the resync forward, and does not delay it", "[queue]") {
    WorkQueue queue;
    queue.add(Key::Source, start + 30s);
    queue.put_off(Key::Source, start + 1s, 100ms, 2s);
    CHECK(queue.next() == start + 1100ms);
}

TEST_CASE("after a pause the host is observed immediately; during constant change, at a limited rate",
          "[queue]") {
    RateLimiter rate;
    CHECK(rate.earliest(start + 1s) == start + 1s);
    rate.finished(start + 1s, start + 1s + 20ms);
    CHECK(rate.earliest(start + 1s + 20ms) == start + 1s + 80ms);
    CHECK(rate.earliest(start + 2s) == start + 2s);
    rate.finished(start + 2s, start + 12s);
    CHECK(rate.earliest(start + 12s) == start + 12s + RateLimiter::max_interval);
}

TEST_CASE("an interval with jitter is at most a tenth off, and differs from host to host", "[queue]") {
    using namespace std::chrono_literals;
    CHECK(with_jitter(60s, 0) == 54s);
    CHECK(with_jitter(60s, 0.5) == 60s);
    CHECK(with_jitter(60s, 1) == 66s);
    CHECK(with_jitter(60s, 0.25) != with_jitter(60s, 0.75));
}
