#include <fmt/format.h>

#include <array>

#include "reconciler/engine.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"
#include "support/worlds.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

enum class Has { Nothing, Old, New };
enum class Input { Ready, Building, Failing, Unreadable, SecretMissing };

struct State {
    ActiveState active = ActiveState::Inactive;
    Has has = Has::Nothing;
    Input input = Input::Ready;
};

std::vector<State> all_states() {
    std::vector<State> states;
    for (const ActiveState active : {ActiveState::Inactive, ActiveState::Activating, ActiveState::Active,
                                     ActiveState::Deactivating, ActiveState::Failed}) {
        for (const Has has : {Has::Nothing, Has::Old, Has::New}) {
            for (const Input input :
                 {Input::Ready, Input::Building, Input::Failing, Input::Unreadable, Input::SecretMissing}) {
                states.push_back({active, has, input});
            }
        }
    }
    return states;
}

std::string describe(const State& state) {
    static constexpr std::array has{"no rendering", "an old rendering", "the new rendering"};
    static constexpr std::array inputs{"ready", "building", "failing", "unreadable", "secret missing"};
    return fmt::format("{}, {}, input {}", to_string(state.active), has[static_cast<std::size_t>(state.has)],
                       inputs[static_cast<std::size_t>(state.input)]);
}

/// Two servers, each with its own directory overlay.
struct Pair {
    Desired desired;
    FakeWorld world;
    std::set<std::string> failing;
    std::set<std::string> hanging;
    std::map<std::string, bool> must_run;

    Pair() { world.now = TimePoint(std::chrono::hours(100)); }

    void add(const std::string& name, std::uint16_t port, const State& state, RolloutPolicy policy) {
        const std::string overlay = "of-" + name;
        desired.overlays.emplace(overlay, DirectorySource{});
        DesiredServer& server = ask_for(desired, name, port);
        server.overlays = {overlay};
        server.rollout.policy = policy;
        const std::string artifact = "overlays/" + overlay + "/bbbb";
        world.sources.insert_or_assign(overlay, std::string("bbbb"));
        FakeServer& fake = world.servers[name];
        fake.unit.active = state.active;
        DesiredServer earlier = server;
        if (state.input == Input::Failing) failing.insert(overlay);
        if (state.input == Input::Building) hanging.insert(overlay);
        if (state.input == Input::Unreadable)
            world.sources.insert_or_assign(overlay, std::unexpected(std::string("permission denied")));
        if (state.input == Input::SecretMissing) server.config = "rcon_password ${secret:rcon}";
        const bool old = state.has == Has::Old;
        if (state.has != Has::Nothing) {
            fake.managed = true;
            const std::string layer = old ? "overlays/" + overlay + "/aaaa" : artifact;
            world.overlay_artifacts.insert(layer);
            std::string digest;
            const FakeRendering rendering = make_rendering(earlier, {layer}, digest);
            fake.renderings.emplace(digest, rendering);
            fake.current = digest;
            if (state.active == ActiveState::Active) fake.mounted = fake.in_game = rendering.layers;
            fake.runtime = fake.mounted.has_value();
        }
        if (state.input == Input::Ready || state.input == Input::SecretMissing) {
            world.overlay_artifacts.insert(artifact);
            world.records[overlay].artifact = BuiltArtifact{"bbbb", "bbbb"};
        }
        // A server that was never rendered can be once its inputs are there.
        must_run[name] = state.has != Has::Nothing || state.input == Input::Ready;
    }

    /// Like the daemon: steps at any time, while hanging actions keep hanging.
    std::optional<std::string> failure() const {
        FakeHost host(world);
        host.hanging = hanging;
        for (const std::string& overlay : failing) host.failing_builds[overlay] = BuildFailureKind::NoSpace;
        Engine engine(host, Status{});
        const Request request{std::make_shared<const Desired>(desired), {}, {}};
        for (int turn = 0; turn < 8; ++turn) {
            if (!engine.step(request)) return "cannot observe";
            while (engine.poll_completions()) continue;
            if (turn % 2 == 1) host.settle();
        }
        if (!host.violations.empty()) return host.violations.front();
        for (const auto& [name, runs] : must_run) {
            const ObservedUnit& unit = host.world.servers.at(name).unit;
            if (runs && unit.active != ActiveState::Active)
                return fmt::format("{} is {}", name, to_string(unit.active));
            if (runs && unit.enablement != Enablement::Enabled) return name + " is not enabled";
            if (!runs && unit.enablement == Enablement::Enabled) return name + " is enabled";
        }
        return std::nullopt;
    }
};

}  // namespace

TEST_CASE(
    "a server with a usable rendering ends active and enabled, whatever is being built, failing, unreadable "
    "or missing") {
    const std::vector<State> states = all_states();
    std::size_t pairs = 0;
    for (const RolloutPolicy policy : {RolloutPolicy::OnNextStart, RolloutPolicy::Immediate}) {
        for (const State& a : states) {
            for (const State& b : states) {
                // An active unit without a rendering is somebody's experiment, and has no mount.
                Pair pair;
                pair.add("a", 27015, a, policy);
                pair.add("b", 27016, b, policy);
                ++pairs;
                const auto failure = pair.failure();
                if (!failure) continue;
                FAIL(fmt::format("{}\na: {}\nb: {}\nrollout {}", *failure, describe(a), describe(b),
                                 to_string(policy)));
            }
        }
    }
    CHECK(pairs == 2 * 75 * 75);
}

TEST_CASE(
    "a stopped server is started with its last rendering while its overlay is built; the new one "
    "follows the rollout") {
    Pair pair;
    pair.add("a", 27015, {ActiveState::Inactive, Has::Old, Input::Building}, RolloutPolicy::Immediate);
    FakeHost host(pair.world);
    host.hanging = pair.hanging;
    Engine engine(host, Status{});
    const Request request{std::make_shared<const Desired>(pair.desired), {}, {}};
    const auto turn = [&] {
        const StepResult result = *engine.step(request);
        while (engine.poll_completions()) continue;
        return result;
    };
    const Plan first = turn().difference;
    CHECK(std::any_of(first.actions.begin(), first.actions.end(), [](const Action& action) {
        return action.verb == Verb::Start &&
               action.reason ==
                   "the unit is inactive, the manifest says Running; with its last rendering, for "
                   "overlay/of-a is not built yet";
    }));
    turn();
    FakeServer& server = host.world.servers.at("a");
    CHECK(server.unit.active == ActiveState::Active);
    const auto old_stack = server.mounted;
    host.hanging.clear();
    for (int i = 0; i < 5; ++i) turn();
    CHECK(server.unit.active == ActiveState::Active);
    CHECK(server.mounted != old_stack);
    CHECK(turn().difference.empty());
}

TEST_CASE("a rendering that cannot be written does not keep down a server that has another one") {
    Pair pair;
    pair.add("a", 27015, {ActiveState::Failed, Has::Old, Input::Ready}, RolloutPolicy::OnNextStart);
    FakeHost host(pair.world);
    host.fail_call = 0;  // render
    Engine engine(host, Status{});
    const Request request{std::make_shared<const Desired>(pair.desired), {}, {}};
    for (int i = 0; i < 3; ++i) {
        REQUIRE(engine.step(request));
        while (engine.poll_completions()) continue;
    }
    REQUIRE(std::find(host.calls.begin(), host.calls.end(),
                      FakeHost::Call{Verb::Render, {Kind::Server, "a"}}) != host.calls.end());
    CHECK(host.world.servers.at("a").unit.active == ActiveState::Active);
    CHECK(engine.status().servers.at("a").find("Reconciling")->reason ==
          ConditionReason(HoldReason::BackOff));
}
