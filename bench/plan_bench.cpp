// The cost of plan() for converged hosts, and for hosts where everything differs: it must grow linearly with
// the number of servers. Prints one row per size; the last column is the growth of the cost per server.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "reconciler/plan.hpp"

namespace {

using namespace left4me;
using Clock = std::chrono::steady_clock;

constexpr const char* digest = "0123456789abcdef";

struct Site {
    std::shared_ptr<Desired> desired = std::make_shared<Desired>();
    Inputs inputs;
    Target target;
    Observed observed;
};

/// Twenty overlays, four per server, as communities use them.
Site converged_site(std::size_t servers) {
    Site site;
    site.desired->revision = "r1";
    site.observed.installation = true;
    for (int overlay = 0; overlay < 20; ++overlay) {
        const std::string name = fmt::format("overlay-{}", overlay);
        site.desired->overlays.emplace(name, InlineSource{});
        site.inputs.overlays[name].artifact = digest;
        site.observed.artifacts.insert(fmt::format("overlays/{}/{}", name, digest));
    }
    for (std::size_t index = 0; index < servers; ++index) {
        const std::string name = fmt::format("server-{:05}", index);
        DesiredServer& wanted = site.desired->servers[name];
        wanted.name = name;
        wanted.port = static_cast<std::uint16_t>(10000 + index);
        wanted.environment =
            fmt::format("L4D2_NAME={}\nL4D2_PORT={}\nset -- -tickrate 100\n", name, wanted.port);
        wanted.config = std::string(1000, 'x');
        for (std::size_t layer = 0; layer < 4; ++layer)
            wanted.overlays.push_back(fmt::format("overlay-{}", (index + layer) % 20));
    }
    site.target = resolve(site.desired, site.inputs);
    for (const auto& [name, server] : site.target.servers) {
        const TargetRendering& rendering = **server.rendering;
        ObservedServer& found = site.observed.servers[name];
        found.unit = {ActiveState::Active, "running", Enablement::Enabled, {}};
        found.managed = true;
        found.current = rendering.digest();
        found.mounted = rendering.layers();
        found.mounted_port = server.spec->port;
        found.mounted_environment = server.spec->environment;
        found.runtime = true;
        site.observed.artifacts.insert(fmt::format("instances/{}/{}", name, rendering.digest()));
    }
    return site;
}

/// Every server gets another config and restarts; every old rendering is pruned.
void edit_everything(Site& site) {
    for (auto& [name, server] : site.desired->servers) {
        server.rollout.policy = RolloutPolicy::Immediate;
        server.config += "y";
    }
    site.target = resolve(site.desired, site.inputs);
    for (auto& [name, server] : site.observed.servers) {
        server.damaged = {"."};
        server.current_rendering = ObservedRendering{*server.mounted, server.mounted_port};
    }
}

/// The best of several runs: the least disturbed one.
double nanoseconds_a_server(const Site& site, std::size_t& actions) {
    const std::size_t servers = site.desired->servers.size();
    const std::size_t repetitions = std::max<std::size_t>(5, 20'000 / servers);
    double best = 1e18;
    for (std::size_t run = 0; run < repetitions; ++run) {
        const Clock::time_point begin = Clock::now();
        const Plan planned = plan(site.target, site.observed, {}, {});
        const std::chrono::duration<double, std::nano> took = Clock::now() - begin;
        actions = planned.actions.size();
        best = std::min(best, took.count() / static_cast<double>(servers));
    }
    return best;
}

}  // namespace

int main() {
    fmt::print("{:<10} {:>8} {:>9} {:>12} {:>12} {:>8}\n", "host", "servers", "actions", "ns/server",
               "ms in all", "growth");
    for (const bool edited : {false, true}) {
        double smallest = 0;
        for (const std::size_t servers : {10UL, 100UL, 1000UL, 10000UL}) {
            Site site = converged_site(servers);
            if (edited) edit_everything(site);
            std::size_t actions = 0;
            const double cost = nanoseconds_a_server(site, actions);
            if (smallest == 0) smallest = cost;
            fmt::print("{:<10} {:>8} {:>9} {:>12.0f} {:>12.3f} {:>7.2f}x\n", edited ? "edited" : "converged",
                       servers, actions, cost, cost * static_cast<double>(servers) / 1e6, cost / smallest);
        }
    }
}
