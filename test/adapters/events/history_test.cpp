#include "adapters/events/history.hpp"

#include "place.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {

struct Place : left4me::test::Place {
    void note(const std::string& revision, const std::string& result, bool is_new, TimePoint now) const {
        REQUIRE(note_history(paths, {revision, "Alice <alice@example.org>", "more maps", {}}, {result, "why"},
                             is_new, now));
    }
};

Action action(Verb verb, std::optional<HoldReason> code = {}) {
    return {verb, {Kind::Server, "a"}, "because", {}, {}, code};
}

}  // namespace

TEST_CASE("a revision is recorded when it is first tried and when its result changes") {
    const Place place;
    place.note("r1", "Progressing", true, TimePoint(10s));
    place.note("r1", "Progressing", false, TimePoint(20s));
    place.note("r1", "Held", false, TimePoint(30s));
    place.note("r1", "Applied", false, TimePoint(40s));
    place.note("r1", "Failed", false,
               TimePoint(50s));  // a crash weeks later does not change the revision's result
    const std::vector<HistoryEntry> entries = read_history(place.paths);
    REQUIRE(entries.size() == 1);
    CHECK(entries[0].result == "Applied");
    CHECK(entries[0].first_attempt == TimePoint(10s));
    CHECK(entries[0].settled_at == TimePoint(40s));
    CHECK(entries[0].origin.author == "Alice <alice@example.org>");
    const std::string text = place.read("state/history.jsonl");
    CHECK(std::count(text.begin(), text.end(), '\n') == 3);
}

TEST_CASE("the newest revision is listed first, and a revision that comes back is a new entry") {
    const Place place;
    place.note("r1", "Applied", true, TimePoint(1s));
    place.note("r2", "Failed", true, TimePoint(2s));
    place.note("r1", "Applied", true, TimePoint(3s));
    const std::vector<HistoryEntry> entries = read_history(place.paths);
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].first_attempt == TimePoint(3s));
    CHECK(entries[1].origin.revision == "r2");
}

TEST_CASE("an invalid revision is recorded once, however often it is observed") {
    const Place place;
    place.note("r1", "Applied", true, TimePoint(1s));
    for (int i = 0; i < 5; ++i) {
        place.note("bad", "Invalid", false, TimePoint(2s));
        place.note("r1", "Applied", false, TimePoint(2s));
    }
    const std::vector<HistoryEntry> entries = read_history(place.paths);
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].result == "Invalid");
}

TEST_CASE("a revision that comes back by force waits for a person, in a new entry") {
    const Place place;
    place.note("r1", "Applied", true, TimePoint(1s));
    place.note("r2", "Applied", true, TimePoint(2s));
    for (int i = 3; i < 6; ++i) {
        REQUIRE(note_refused(place.paths, {"r1", {}, {}, {}}, {"Held", "does not descend from r2"},
                             TimePoint(std::chrono::seconds(i))));
    }
    std::vector<HistoryEntry> entries = read_history(place.paths);
    REQUIRE(entries.size() == 3);
    CHECK(entries[0].origin.revision == "r1");
    CHECK(entries[0].result == "Held");
    CHECK(entries[0].first_attempt == TimePoint(3s));
    place.note("r1", "Applied", true, TimePoint(7s));
    entries = read_history(place.paths);
    CHECK(entries.size() == 4);
    CHECK(entries[0].result == "Applied");
}

TEST_CASE("the result of a revision is what is left to do") {
    Plan plan;
    CHECK(revision_result(plan, {}).result == "Applied");
    plan.actions = {action(Verb::Report, HoldReason::Orphan)};
    CHECK(revision_result(plan, {}).result == "Applied");
    plan.actions.push_back(action(Verb::Hold, HoldReason::RolloutPending));
    CHECK(revision_result(plan, {}).result == "Held");
    CHECK(revision_result(plan, {}).message == "server/a: hold, because");
    plan.actions.push_back(action(Verb::Start));
    CHECK(revision_result(plan, {}).result == "Progressing");
    plan.actions.push_back(action(Verb::Hold, HoldReason::BackOff));
    CHECK(revision_result(plan, {}).result == "Failed");
    const std::vector<Outcome> outcomes{{0, false, FailureKind::ExitCode, "it broke"}};
    CHECK(revision_result({}, outcomes).message == "it broke");
}
