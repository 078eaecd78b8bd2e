#include <fmt/format.h>

#include "reconciler/engine.hpp"
#include "support/catch.hpp"
#include "support/killing_host.hpp"
#include "support/simple_world.hpp"
#include "support/worlds.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

/// False if the pass ended before it could be killed.
bool run_and_kill(FakeHost& host, const Case& generated, std::size_t kill_at) {
    KillingHost mortal(host, kill_at);
    try {
        Status status = generated.previous;
        (void)run(mortal, generated.desired, generated.intent, status);
        return false;
    } catch (const Killed&) {
        return true;
    }
}

/// Killed at every point in turn, without a status: the next pass (a second one for units that were still
/// starting) ends with an empty plan.
std::optional<std::string> survives_every_kill(Choices& choices) {
    const Case generated = make_case(choices, {.servers = 3, .plain = true});
    const std::uint64_t seed = choices.below(1000);
    for (std::size_t kill_at = 0;; ++kill_at) {
        FakeHost host(generated.world, seed);
        if (!run_and_kill(host, generated, kill_at)) return std::nullopt;
        Status remembered = generated.previous;
        RunResult pass = *run(host, generated.desired, generated.intent, remembered);
        const Plan after_kill = pass.planned;
        for (int more = 0; more < 3; ++more) {
            host.settle();
            Status nothing;
            pass = *run(host, generated.desired, generated.intent, nothing);
        }
        const bool converged = pass.planned.empty() && pass.remaining.empty();
        if (converged && host.violations.empty()) continue;
        return fmt::format("killed at {}: {}\n{}after the kill:\n{}at last:\n{}", kill_at,
                           converged ? host.violations.front() : "no convergence", describe(generated),
                           describe(after_kill), describe(pass.remaining));
    }
}

}  // namespace

TEST_CASE("killed between any two actions, the next pass converges from what it finds") {
    const auto found = find_counterexample(case_count(4'000), survives_every_kill);
    if (found) FAIL(fmt::format("seed {}: {}", found->seed, found->message));
    SUCCEED();
}

TEST_CASE("killed at any instant, a restart that a person asked for is made exactly once") {
    for (const bool staggered : {false, true}) {
        Case generated;
        for (const char* name : {"a", "b", "c"})
            ask_for(generated.desired, name, static_cast<std::uint16_t>(27015 + *name - 'a'));
        FakeHost running(generated.world);
        Status status;
        REQUIRE(run(running, generated.desired, generated.intent, status));
        generated.world = running.world;
        RestartRequest& request = generated.intent.restarts.emplace_back();
        request.by = "alice";
        request.staggered = staggered;
        for (const auto& [name, server] : generated.world.servers)
            request.invocations.emplace(name, std::to_string(server.processes));
        std::size_t kills = 0;
        for (FakeHost host(generated.world); run_and_kill(host, generated, kills); ++kills) {
            Status nothing;
            const auto pass = run(host, generated.desired, generated.intent, nothing);
            REQUIRE(pass);
            CAPTURE(kills, staggered);
            CHECK(pass->remaining.empty());
            for (const auto& [name, server] : host.world.servers) CHECK(server.processes == 2);
            host.world = generated.world;
        }
        CHECK(kills >= 4);
    }
}

TEST_CASE(
    "killed at any instant, a reset that a person asked for is made exactly once, and what ran runs again") {
    for (const DriftPolicy drift : {DriftPolicy::Correct, DriftPolicy::Report}) {
        Case generated;
        for (const char* name : {"a", "b"})
            ask_for(generated.desired, name, static_cast<std::uint16_t>(27015 + *name - 'a')).drift = drift;
        FakeHost running(generated.world);
        REQUIRE(run(running, generated.desired, generated.intent, generated.previous));
        generated.world = running.world;
        for (const auto& [name, server] : generated.world.servers)
            generated.intent.resets[name] = {
                .by = "alice", .at = {}, .reason = {}, .directory = "directory 0"};
        std::size_t kills = 0;
        for (FakeHost host(generated.world); run_and_kill(host, generated, kills); ++kills) {
            Status status = generated.previous;
            const auto pass = run(host, generated.desired, generated.intent, status);
            REQUIRE(pass);
            CAPTURE(kills, drift);
            CHECK(pass->remaining.empty());
            CHECK(host.violations.empty());
            CHECK(open_requests(generated.intent.resets, pass->target, pass->observed).empty());
            for (const auto& [name, server] : host.world.servers) {
                CHECK(server.purges == 1);
                CHECK(server.processes == 2);
            }
            host.world = generated.world;
        }
        CHECK(kills >= 6);
    }
}

TEST_CASE("the kill walk kills once per effect") {
    Case generated;
    generated.desired.revision = "r1";
    DesiredServer server;
    server.name = "a";
    server.port = 27015;
    generated.desired.servers.emplace("a", server);
    std::size_t kills = 0;
    for (FakeHost host(generated.world); run_and_kill(host, generated, kills); host.world = generated.world)
        ++kills;
    // render; enable and start: two begins, three waits
    CHECK(kills == 5);
}
