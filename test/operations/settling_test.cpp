#include "operations/settling.hpp"

#include "support/catch.hpp"

using namespace left4me;
using namespace left4me::operations;

namespace {

Action act(Verb verb, const std::string& server) {
    Action action;
    action.verb = verb;
    action.subject = {Kind::Server, server};
    return action;
}

/// A daemon's report of a step that has seen the client's change.
StepReport seen() {
    StepReport report;
    report.revision = "r1";
    report.seen = true;
    return report;
}

StepReport ended(Verb verb, const std::string& server, bool done) {
    StepReport report = seen();
    report.ended.plan.actions = {act(verb, server)};
    report.ended.outcomes = {{0, done, FailureKind::ExitCode, "", nullptr, {}}};
    return report;
}

}  // namespace

TEST_CASE("Nothing has settled before the change was seen", "[settling]") {
    Settling settling({}, std::nullopt);
    StepReport report = seen();
    report.seen = false;
    CHECK_FALSE(settling.has_settled(report));
    CHECK(settling.has_settled(seen()));
}

TEST_CASE("What is under way or left to do is waited for, what waits for something else is not",
          "[settling]") {
    Settling settling({}, std::nullopt);
    StepReport report = seen();
    report.difference.actions = {act(Verb::Start, "a")};
    CHECK_FALSE(settling.has_settled(report));
    report.difference.actions = {act(Verb::Hold, "a"), act(Verb::Report, "b")};
    CHECK(settling.has_settled(report));
    report.under_way = {act(Verb::Stop, "a")};
    CHECK_FALSE(settling.has_settled(report));
}

TEST_CASE("Only what is of concern is waited for", "[settling]") {
    Settling settling({{Kind::Server, "mine"}}, std::nullopt);
    StepReport report = seen();
    report.under_way = {act(Verb::Stop, "slow")};
    report.difference.actions = {act(Verb::Stop, "slow"), act(Verb::Start, "other")};
    CHECK(settling.has_settled(report));
    report.difference.actions.push_back(act(Verb::Start, "mine"));
    CHECK_FALSE(settling.has_settled(report));
}

TEST_CASE("A build is waited for by whoever wants to", "[settling]") {
    StepReport report = seen();
    report.difference.actions = {act(Verb::Hold, "a")};
    report.difference.actions.front().code = HoldReason::Building;
    CHECK_FALSE(Settling({}, std::nullopt).has_settled(report));
    CHECK(Settling({}, std::chrono::milliseconds(0)).has_settled(report));
    CHECK_FALSE(Settling({}, std::chrono::hours(1)).has_settled(report));
    CHECK(Settling({{Kind::Server, "b"}}, std::nullopt).has_settled(report));
}

TEST_CASE("Without a revision, or a host that can be read, there is nothing to wait for", "[settling]") {
    Settling settling({}, std::nullopt);
    StepReport report = seen();
    report.difference.actions = {act(Verb::Start, "a")};
    report.host_error = "no system bus";
    CHECK(settling.has_settled(report));
    report.host_error.clear();
    CHECK_FALSE(settling.has_settled(report));
    report.revision.clear();
    CHECK(settling.has_settled(report));
}

TEST_CASE("What was tried three times is not waited for any longer", "[settling]") {
    Settling settling({}, std::nullopt);
    for (int tries = 0; tries < 3; ++tries) {
        StepReport report = ended(Verb::Start, "a", tries == 1);
        report.difference.actions = {act(Verb::Start, "a")};
        CHECK(settling.has_settled(report) == (tries == 2));
    }
}
