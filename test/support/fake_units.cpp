#include <fmt/format.h>

#include <algorithm>

#include "reconciler/layers.hpp"
#include "support/fake_host.hpp"

namespace left4me::test {
namespace {

std::unexpected<Outcome> failed(FailureKind reason, std::string message) {
    return std::unexpected(Outcome{0, false, reason, std::move(message)});
}

bool has_processes(const FakeServer& server) {
    return server.unit.active == ActiveState::Active || server.unit.active == ActiveState::Activating ||
           server.unit.active == ActiveState::Deactivating;
}

/// Nobody can play on it.
bool hangs(const FakeServer& server) { return server.socket && server.socket->unread; }

}  // namespace

std::optional<std::uint16_t> FakeHost::port_in_use(const FakeServer& server) const {
    if (!has_processes(server) || !server.stack() || server.stack()->empty()) return std::nullopt;
    const auto mounted = server.renderings.find(std::string(parse_layer(server.stack()->front()).digest));
    if (mounted == server.renderings.end()) return std::nullopt;
    return mounted->second.port;
}

/// Like left4me-overlay: keeps a mount of the right stack and refuses any other.
bool FakeHost::mount(FakeServer& server, const std::string& name) {
    if (!server.current) return false;
    const auto rendering = server.renderings.find(*server.current);
    if (rendering == server.renderings.end()) return false;
    const std::vector<std::string>& layers = rendering->second.layers;
    if (server.mounted && *server.mounted != layers) return false;
    for (const std::string& layer : layers) {
        const Layer parsed = parse_layer(layer);
        if (parsed.kind == Layer::Kind::Installation && !world.installation) return false;
        if (parsed.kind == Layer::Kind::Overlay && !world.overlay_artifacts.contains(layer)) {
            violations.push_back(fmt::format("server/{} is started without its layer {}", name, layer));
            return false;
        }
    }
    server.runtime = true;
    server.mounted = layers;
    return true;
}

/// ExecStopPost unmounts, also after a failed start or stop.
void FakeHost::fail_unit(FakeServer& server, const std::string& result, FailureKind failure) {
    server.unit.active = ActiveState::Failed;
    server.unit.sub = "failed";
    server.unit.result = result;
    server.unit.failure = failure;
    server.unit.active_since.reset();
    server.unit.restarts = 0;
    server.mounted.reset();
    server.in_game.reset();
}

FakeHost::Result FakeHost::start(FakeServer& server, const std::string& name) {
    if (server.unit.enablement == Enablement::Masked)
        return failed(FailureKind::Refused, "the unit is masked");
    if (server.unit.active == ActiveState::Active) return {};
    if (server.unit.active == ActiveState::Deactivating) (void)stop(server, name);
    if (++server.starts > start_limit) {
        fail_unit(server, "start-limit-hit", FailureKind::StartLimitHit);
        return failed(FailureKind::StartLimitHit, "start request repeated too quickly");
    }
    if (!mount(server, name)) {
        fail_unit(server, "exit-code", FailureKind::ExitCode);
        return failed(FailureKind::ExitCode, "left4me-overlay mount failed");
    }
    const std::optional<std::uint16_t> port = server.renderings.at(*server.current).port;
    const bool taken = std::any_of(world.servers.begin(), world.servers.end(), [&](const auto& other) {
        return other.first != name && port_in_use(other.second) == port;
    });
    if (taken || crashing.contains(name)) {
        fail_unit(server, "exit-code", FailureKind::ExitCode);
        return failed(FailureKind::ExitCode, taken ? "the port is taken" : "the game exited at once");
    }
    server.unit.active = ActiveState::Active;
    server.unit.sub = "running";
    server.unit.result.clear();
    server.unit.failure = FailureKind::Unknown;
    server.unit.active_since = world.now - up_for;
    server.unit.restarts = 0;
    server.in_game = server.mounted;
    server.players = 0;
    server.reserved = false;
    server.console.reset();
    server.tick.reset();
    server.socket = ObservedSocket{.has_answered = true, .silent = {}, .unread = {}};
    ++server.processes;
    return {};
}

FakeHost::Result FakeHost::check_empty(FakeServer& server, const std::string& name, const WhileEmpty& asked) {
    if (asked.hangs) {
        if (hangs(server) && !joining.contains(name)) return {};
        return failed(FailureKind::Occupied, "the game answers again");
    }
    const unsigned most = asked.most;
    if (joining.contains(name)) server.players = 1;
    server.players_age = {};
    const bool few = server.players && *server.players <= most;
    if (few && server.reserved)
        server.console = ObservedConsole{ObservedConsole::State::Answered, *server.players, true, {}};
    if (few && !server.reserved) return {};
    return failed(FailureKind::Occupied, "somebody plays");
}

FakeHost::Result FakeHost::stop(FakeServer& server, const std::string& name) {
    if (has_processes(server)) {
        if ((server.players.value_or(1) > 0 || server.reserved) && !hangs(server)) kicked.push_back(name);
        server.unit.active = ActiveState::Inactive;
        server.unit.sub = "dead";
        server.unit.active_since.reset();
        server.unit.restarts = 0;
    }
    server.mounted.reset();
    server.in_game.reset();
    return {};
}

FakeHost::Result FakeHost::restart(FakeServer& server, const std::string& name) {
    if (server.unit.enablement == Enablement::Masked)
        return failed(FailureKind::Refused, "the unit is masked");
    (void)stop(server, name);
    return start(server, name);
}

/// Like left4me-overlay attach: a server that has exited meanwhile is not an error.
FakeHost::Result FakeHost::attach(FakeServer& server) {
    if (server.mounted || !has_processes(server)) return {};
    if (!server.in_game) return failed(FailureKind::AttachFailed, "the game has no overlay any more");
    server.mounted = server.in_game;
    return {};
}

FakeHost::Result FakeHost::purge(FakeServer& server) {
    if (has_processes(server)) return failed(FailureKind::Refused, "the unit is not inactive");
    reset(server.unit);
    server.mounted.reset();
    server.runtime = false;
    ++server.purges;
    return {};
}

void FakeHost::stop_by_force(const std::string& name) {
    fail_unit(world.servers.at(name), "timeout", FailureKind::Timeout);
}

void FakeHost::crash(const std::string& name) {
    FakeServer& server = world.servers.at(name);
    server.unit.active = ActiveState::Active;
    server.unit.active_since = world.now;
    ++server.unit.restarts;
    ++server.processes;
}

void FakeHost::settle() {
    world.now += std::chrono::minutes(6);
    end_builds();
    for (auto& [name, server] : world.servers) {
        if (server.unit.active == ActiveState::Deactivating) (void)stop(server, name);
        if (server.unit.active == ActiveState::Activating) {
            const Enablement enablement = server.unit.enablement;
            server.unit.enablement = Enablement::Enabled;  // a mask does not stop a start in progress
            (void)start(server, name);
            server.unit.enablement = enablement;
        }
    }
}

void FakeHost::reboot() {
    under_way_.clear();
    for (auto& [name, server] : world.servers) {
        reset(server.unit);
        server.mounted.reset();
        server.in_game.reset();
        server.starts = 0;
        server.players.reset();
    }
    for (auto& [name, server] : world.servers) {
        if (server.unit.enablement == Enablement::Enabled) (void)start(server, name);
    }
}

}  // namespace left4me::test
