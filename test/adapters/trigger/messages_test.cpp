#include "adapters/trigger/messages.hpp"

#include <random>

#include "support/catch.hpp"

using namespace left4me;

namespace {

Action action(Verb verb, Kind kind, const std::string& name) {
    Action action;
    action.verb = verb;
    action.subject = {kind, name};
    action.reason = "because \"so\"\n";
    return action;
}

StepReport a_report() {
    StepReport report;
    report.revision = "r1";
    report.error_kind = SourceErrorKind::Held;
    report.source_error = "wound back";
    report.difference.revision = "r1";
    report.difference.agreeing_servers = 3;
    report.difference.starting_servers = 2;
    report.difference.crashing_servers = 1;
    report.difference.silent_servers = 4;
    report.difference.slow_servers = 5;
    report.difference.differing_servers = 2;
    report.difference.actions = {action(Verb::Stop, Kind::Server, "a"),
                                 action(Verb::Hold, Kind::Server, "b")};
    report.difference.actions[0].drift = true;
    report.difference.actions[1].code = HoldReason::ApprovalRequired;
    report.under_way = {action(Verb::Build, Kind::Overlay, "x")};
    report.ended.plan.actions = {action(Verb::Start, Kind::Server, "c")};
    report.ended.outcomes = {
        {0, false, FailureKind::StartLimitHit, "too often \xff", nullptr, std::chrono::milliseconds(1500)}};
    report.seen = true;
    return report;
}

}  // namespace

TEST_CASE("A report survives the socket", "[trigger]") {
    const StepReport sent = a_report();
    const std::string line = report_line(sent);
    CHECK(line.find('\n') == line.size() - 1);
    const auto got = parse_report(line);
    REQUIRE(got);
    CHECK(report_line(*got) == line);
    CHECK(got->error_kind == SourceErrorKind::Held);
    CHECK(got->difference.actions[1].code == HoldReason::ApprovalRequired);
    CHECK(got->difference.agreeing_servers == 3);
    CHECK(got->difference.starting_servers == 2);
    CHECK(got->difference.crashing_servers == 1);
    CHECK(got->difference.silent_servers == 4);
    CHECK(got->difference.slow_servers == 5);
    CHECK(got->under_way.front().subject == Subject{Kind::Overlay, "x"});
    CHECK(got->ended.outcomes.front().reason == FailureKind::StartLimitHit);
    CHECK(got->ended.outcomes.front().took == std::chrono::milliseconds(1500));
    CHECK(got->seen);
}

TEST_CASE("A report holds nothing of what an action writes", "[trigger]") {
    StepResult step;
    step.difference.actions = {action(Verb::Render, Kind::Server, "a")};
    step.difference.actions.front().artifact = "4f1c";
    auto source = std::make_shared<OverlaySource>();
    step.difference.actions.front().source = source;
    step.news.plan = step.difference;
    step.news.outcomes = {{0, true, {}, {}, nullptr, {}}};
    const StepReport report = report_of(step, step.difference.actions);
    CHECK(source.use_count() == 3);  // here, and twice in the step
    CHECK(report.difference.actions.front().artifact.empty());
    CHECK(report_line(report).find("4f1c") == std::string::npos);
}

TEST_CASE("Two reports in a row are one with all that has ended", "[trigger]") {
    StepReport later = a_report();
    later.seen = false;
    later.revision = "r2";
    const StepReport both = merge(a_report(), later);
    CHECK(both.revision == "r2");
    CHECK(both.seen);
    REQUIRE(both.ended.outcomes.size() == 2);
    CHECK(both.ended.outcomes[1].action == 1);
    CHECK(both.ended.plan.actions.size() == 2);
}

TEST_CASE("A request survives the socket, and an empty line is a plain trigger", "[trigger]") {
    const auto got = parse_request(request_line({.retry = true, .actor = "alice"}));
    REQUIRE(got);
    CHECK(got->retry);
    CHECK(got->actor == "alice");
    for (const char* const plain : {"", "\n", " \r\n", "{}", "{\"other\":[1]}\n"}) {
        const auto request = parse_request(plain);
        REQUIRE(request);
        CHECK_FALSE(request->retry);
        CHECK(request->actor.empty());
    }
    CHECK_FALSE(parse_request("[]"));
    CHECK_FALSE(parse_request("{\"retry\":"));
    CHECK_FALSE(parse_request(std::string(5000, ' ')));
    CHECK_FALSE(parse_request(request_line({.retry = false, .actor = std::string(300, 'a')})));
    CHECK(parse_request("{\"actor\":\"a\\nb\",\"retry\":\"yes\"}")->actor == "a b");
    CHECK_FALSE(parse_request("{\"retry\":\"yes\"}")->retry);
}

TEST_CASE("Whatever bytes come, they are a message or refused", "[trigger][fuzz]") {
    std::mt19937 random(1);
    const std::string good = report_line(a_report());
    const std::string asked = request_line({.retry = true, .actor = "alice"});
    const auto below = [&](std::size_t limit) { return random() % limit; };
    std::size_t parsed = 0;
    for (int round = 0; round < 20'000; ++round) {
        std::string line = below(2) == 0 ? good : asked;
        for (std::size_t edits = 1 + below(4); edits > 0 && !line.empty(); --edits) {
            const std::size_t at = below(line.size());
            switch (below(4)) {
                case 0:
                    line[at] = static_cast<char>(below(256));
                    break;
                case 1:
                    line.erase(at, 1 + below(20));
                    break;
                case 2:
                    line.insert(at, line.substr(below(line.size()), below(30)));
                    break;
                default:
                    line.resize(at);
                    break;
            }
        }
        if (const auto report = parse_report(line)) {
            ++parsed;
            // What was understood can be told again.
            CHECK(parse_report(report_line(*report)));
        }
        (void)parse_request(line);
    }
    CHECK(parsed > 100);
}
