#include "adapters/systemd/outcome.hpp"
#include "adapters/systemd/unit_properties.hpp"
#include "support/catch.hpp"

using namespace left4me;

TEST_CASE("only the job result done is a success") {
    CHECK(job_outcome("a", "done").done);
    for (const char* word :
         {"failed", "timeout", "canceled", "dependency", "skipped", "collected", "a-new-word"}) {
        INFO(word);
        CHECK_FALSE(job_outcome("a", word).done);
        CHECK_FALSE(job_outcome("a", word).message.empty());
    }
    CHECK(job_outcome("a", "timeout").reason == FailureKind::JobTimeout);
    CHECK(job_outcome("a", "dependency").reason == FailureKind::DependencyFailed);
    CHECK(job_outcome("a", "a-new-word").reason == FailureKind::Unknown);
}

TEST_CASE("every Result of a unit becomes a kind of failure, known or not") {
    CHECK(reason_of_result("start-limit-hit") == FailureKind::StartLimitHit);
    CHECK(reason_of_result("oom-kill") == FailureKind::OutOfMemory);
    CHECK(reason_of_result("never-seen") == FailureKind::Unknown);
    CHECK(reason_of_result("") == FailureKind::Unknown);
}

TEST_CASE("a failure says where to read more") {
    const UnitOutcome outcome = failed_outcome("comp1", "exit-code", "the game ended with status 3");
    CHECK(outcome.reason == FailureKind::ExitCode);
    CHECK(outcome.message ==
          "one of its processes ended with an error (the game ended with status 3); see journalctl -u "
          "left4me-server@comp1.service");
}

TEST_CASE("D-Bus errors come with their remedy") {
    const auto told = [](const char* name) { return refused_outcome("a", {name, "words"}); };
    CHECK(told("org.freedesktop.DBus.Error.AccessDenied").reason == FailureKind::AccessDenied);
    CHECK(told("org.freedesktop.DBus.Error.AccessDenied").message.find("as user left4me") !=
          std::string::npos);
    CHECK(told("org.freedesktop.DBus.Error.ServiceUnknown").reason == FailureKind::HelperMissing);
    CHECK(told("org.freedesktop.DBus.Error.NoReply").reason == FailureKind::NoReply);
    CHECK(told("org.freedesktop.systemd1.UnitMasked").reason == FailureKind::HelperFailed);
    CHECK(told(disconnected_error).reason == FailureKind::Disconnected);
    CHECK(told("com.example.Other").message == "words (com.example.Other)");
}

TEST_CASE("a unit that waited for a restart and then failed hit the start limit") {
    constexpr std::uint64_t second = 1'000'000;
    CHECK(corrected_result("exit-code", 10 * second, 15 * second, 5 * second) == "start-limit-hit");
    CHECK(corrected_result("signal", 10 * second, 10 * second + 900, 5 * second) == "signal");
    CHECK(corrected_result("timeout", 0, 15 * second, 5 * second) == "timeout");
    CHECK(corrected_result("success", 10 * second, 15 * second, 5 * second) == "success");
}
