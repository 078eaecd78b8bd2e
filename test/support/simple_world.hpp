#pragma once

#include <fmt/format.h>

#include "support/fake_host.hpp"
#include "support/run.hpp"

namespace left4me::test {

/// Adds server `name` to the desired state: Running, Immediate, no overlays.
inline DesiredServer& ask_for(Desired& desired, const std::string& name, std::uint16_t port) {
    if (desired.revision.empty()) desired.revision = "r1";
    DesiredServer& server = desired.servers[name];
    server.name = name;
    server.port = port;
    server.blueprint = "b";
    server.rollout.policy = RolloutPolicy::Immediate;
    server.environment = fmt::format("PORT={}", port);
    return server;
}

/// A fake on which every pass remembers the previous one, as in the daemon.
struct Site {
    Desired desired;
    Intent intent;
    FakeHost host{FakeWorld{}};
    Status status;

    /// A person asks for a pass, a second after whatever has failed.
    void ask_for_retry() {
        host.world.now += std::chrono::seconds(1);
        intent.retry_before = host.world.now;
    }
    RunResult pass() { return *run(host, desired, intent, status); }
    std::optional<TimePoint> wake() {
        Engine engine(host, status);
        return engine.observe({std::make_shared<const Desired>(desired), intent, {}})->wake;
    }
    FakeServer& server(const std::string& name) { return host.world.servers.at(name); }
    const Condition& condition(const std::string& name, const std::string& type) const {
        return *status.servers.at(name).find(type);
    }
};

}  // namespace left4me::test
