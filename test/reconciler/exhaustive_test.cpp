#include <fmt/format.h>

#include <array>

#include "reconciler/engine.hpp"
#include "support/catch.hpp"
#include "support/simple_world.hpp"
#include "support/worlds.hpp"

using namespace left4me;
using namespace left4me::test;

namespace {

enum class Role { Running, Stopped, Deleted, Foreign };
enum class Render { Wanted, Edited, Outdated, Never };
enum class Mount { Nothing, Current, Other, InGame };

/// One server in one of all its states.
struct State {
    Role role = Role::Running;
    ActiveState active = ActiveState::Inactive;
    Enablement enablement = Enablement::Disabled;
    Render render = Render::Wanted;
    Mount mount = Mount::Nothing;
};

std::vector<State> all_states() {
    std::vector<State> states;
    for (const Role role : {Role::Running, Role::Stopped, Role::Deleted, Role::Foreign}) {
        for (const ActiveState active : {ActiveState::Inactive, ActiveState::Activating, ActiveState::Active,
                                         ActiveState::Deactivating, ActiveState::Failed}) {
            for (const Enablement enablement :
                 {Enablement::Disabled, Enablement::Enabled, Enablement::Masked}) {
                for (const Render render :
                     {Render::Wanted, Render::Edited, Render::Outdated, Render::Never}) {
                    for (const Mount mount : {Mount::Nothing, Mount::Current, Mount::Other, Mount::InGame}) {
                        // A server that was never rendered is not mounted from a rendering; a foreign mount
                        // never came from one.
                        if (render == Render::Never && mount == Mount::Current) continue;
                        if (active != ActiveState::Active && mount == Mount::InGame) continue;
                        if (role == Role::Foreign && render != Render::Never) continue;
                        states.push_back({role, active, enablement, render, mount});
                    }
                }
            }
        }
    }
    return states;
}

std::string describe(const State& state) {
    static constexpr std::array roles{"Running", "Stopped", "deleted", "foreign"};
    static constexpr std::array renders{"rendered", "edited", "outdated", "never rendered"};
    static constexpr std::array mounts{"nothing mounted", "current mounted", "something else mounted",
                                       "unmounted by hand"};
    return fmt::format("{} {} {} {} {}", roles[static_cast<std::size_t>(state.role)], to_string(state.active),
                       to_string(state.enablement), renders[static_cast<std::size_t>(state.render)],
                       mounts[static_cast<std::size_t>(state.mount)]);
}

/// `a` and `b` want each other's old ports.
struct Builder {
    FakeWorld world;
    Desired desired;

    Builder() {
        desired.revision = "r1";
        desired.overlays.emplace("o", InlineSource{});
        world.sources.emplace("o", std::string("aaaa"));
        world.overlay_artifacts = {"overlays/o/aaaa", "overlays/o/bbbb"};
    }

    static FakeRendering rendering(const DesiredServer& server, const char* layer, std::string& digest) {
        return make_rendering(server, {layer}, digest);
    }

    void add(const std::string& name, const State& state, std::uint16_t port, std::uint16_t other_port) {
        DesiredServer wanted;
        wanted.name = name;
        wanted.port = port;
        wanted.state = state.role == Role::Stopped ? RunState::Stopped : RunState::Running;
        wanted.rollout.policy = RolloutPolicy::Immediate;
        wanted.overlays = {"o"};
        wanted.environment = fmt::format("PORT={}", port);
        DesiredServer earlier = wanted;
        earlier.port = other_port;
        earlier.environment = fmt::format("PORT={}", other_port);

        FakeServer& server = world.servers[name];
        server.unit.active = state.active;
        server.unit.enablement = state.enablement;
        if (state.active == ActiveState::Failed) server.starts = FakeHost::start_limit;
        server.managed =
            state.role != Role::Foreign && (state.render != Render::Never || state.role == Role::Deleted);
        std::string new_digest;
        std::string old_digest;
        const FakeRendering now = rendering(wanted, "overlays/o/aaaa", new_digest);
        const FakeRendering before = rendering(earlier, "overlays/o/bbbb", old_digest);
        if (state.render != Render::Never) {
            server.renderings[old_digest] = before;
            if (state.render != Render::Outdated) server.renderings[new_digest] = now;
            if (state.render == Render::Edited) server.renderings[new_digest].damaged = {"server.env"};
            server.current = state.render == Render::Outdated ? old_digest : new_digest;
        }
        if (state.mount == Mount::Current) server.mounted = server.renderings.at(*server.current).layers;
        if (state.mount == Mount::Other) server.mounted = {"/srv/elsewhere"};
        if (state.mount == Mount::Other && server.current && *server.current == new_digest) {
            server.mounted = before.layers;
        }
        if (state.mount == Mount::InGame) {
            server.mounted = server.current ? server.renderings.at(*server.current).layers
                                            : std::vector<std::string>{"/srv/elsewhere"};
        }
        server.runtime = server.mounted.has_value();
        if (state.active == ActiveState::Active) server.in_game = server.mounted;
        if (state.mount == Mount::InGame) server.mounted.reset();
        if (state.role == Role::Running || state.role == Role::Stopped) desired.servers.emplace(name, wanted);
    }
};

/// Each pass remembers the previous one: failures are not retried before their time.
Plan one_pass(FakeHost& host, const Desired& desired, Status& status) {
    return run(host, desired, Intent{{}, "r1"}, status)->planned;
}

/// Only Reports about units that left4me did not create.
bool is_converged(const Plan& planned) {
    return std::all_of(planned.actions.begin(), planned.actions.end(), [](const Action& action) {
        return action.verb == Verb::Report && action.code == HoldReason::Orphan;
    });
}

/// Fails the call with number `fail_at`, if there is one, then runs passes until nothing should remain.
std::optional<std::string> converges(const Builder& built, std::size_t fail_at, std::size_t& calls) {
    FakeHost host(built.world, fail_at);
    host.fail_call = fail_at;
    Status status;
    const Plan first = one_pass(host, built.desired, status);
    calls = host.calls.size();
    Plan last;
    // The next pass repairs everything that may be repaired immediately; time passes, starting units settle,
    // failures are retried, and what they held is then free for the rest.
    for (int more = 0; more < 5; ++more) {
        if (more > 0) host.settle();
        last = one_pass(host, built.desired, status);
        if (more > 1 && is_converged(last)) break;
    }
    if (is_converged(last) && host.violations.empty()) return std::nullopt;
    return fmt::format("with action {} failing: {}\nfirst plan:\n{}last plan:\n{}", fail_at,
                       host.violations.empty() ? "no convergence" : host.violations.front(),
                       left4me::test::describe(first), left4me::test::describe(last));
}

/// Every pair of states in which the index of the first is `share` modulo `shares`.
void walk(std::size_t share, std::size_t shares) {
    const std::vector<State> states = all_states();
    std::size_t worlds = 0;
    std::size_t runs = 0;
#if defined(__SANITIZE_ADDRESS__)
    const std::size_t step = 41;
#else
    const std::size_t step = 1;
#endif
    for (std::size_t left = share; left < states.size(); left += shares) {
        for (std::size_t right = left; right < states.size(); right += step) {
            Builder built;
            built.add("a", states[left], 27015, 27016);
            built.add("b", states[right], 27016, 27015);
            ++worlds;
            std::size_t calls = 0;
            for (std::size_t fail_at = 0; fail_at <= calls; ++fail_at) {
                ++runs;
                if (const auto failure = converges(built, fail_at, calls)) {
                    FAIL(fmt::format("a: {}\nb: {}\n{}", describe(states[left]), describe(states[right]),
                                     *failure));
                }
            }
        }
    }
    CAPTURE(worlds, runs);
    CHECK(runs > worlds);
}

}  // namespace

// Two halves, so that two cores share them. The pairs are unordered: plan() does not depend on names.
TEST_CASE("two servers in every pair of states, every action failing once, converge: first half") {
    walk(0, 2);
}
TEST_CASE("two servers in every pair of states, every action failing once, converge: second half") {
    walk(1, 2);
}
