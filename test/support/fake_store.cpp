#include <fmt/format.h>

#include <algorithm>

#include "reconciler/layers.hpp"
#include "support/fake_host.hpp"

namespace left4me::test {
namespace {

std::unexpected<Outcome> failed(FailureKind reason, std::string message) {
    return std::unexpected(Outcome{0, false, reason, std::move(message)});
}

}  // namespace

FakeRendering make_rendering(const DesiredServer& server, const std::vector<std::string>& overlay_layers,
                             std::string& digest) {
    std::vector<std::string> lower = overlay_layers;
    lower.emplace_back("installation");
    const TargetRendering rendering(std::make_shared<const DesiredServer>(server), std::nullopt, lower, {});
    digest = rendering.digest();
    return {rendering.layers(), server.port, server.environment, {}};
}

FakeHost::Result FakeHost::build(const Job& job) {
    const auto source = world.sources.find(job.subject.name);
    if (job.source && is_built_by_unit(*job.source)) {
        world.canceled.erase(job.subject.name);
        world.requested[job.subject.name] = world.now;
        if (source != world.sources.end() && source->second)
            world.building.try_emplace(job.subject.name, *source->second);
        return {};
    }
    if (source == world.sources.end() || source->second != job.artifact) {
        return failed(FailureKind::IOError, "the source no longer has that content");
    }
    const std::string path = fmt::format("overlays/{}/{}", job.subject.name, job.artifact);
    world.overlay_artifacts.insert(path);
    world.built[path] = world.now;
    return {};
}

FakeHost::Result FakeHost::render(const Job& job) {
    const auto& rendering = job.rendering;
    if (!rendering || rendering->digest() != job.artifact || rendering->name() != job.subject.name) {
        violations.push_back(fmt::format("render {} without its rendering", to_string(job.subject)));
        return failed(FailureKind::IOError, "no rendering");
    }
    for (const std::string& layer : rendering->layers()) {
        if (parse_layer(layer).kind == Layer::Kind::Overlay && !world.overlay_artifacts.contains(layer)) {
            violations.push_back(fmt::format("render {} before {} was built", to_string(job.subject), layer));
        }
    }
    FakeServer& server = world.servers[job.subject.name];
    server.managed = true;
    server.current = job.artifact;
    server.renderings[job.artifact] = {rendering->layers(), rendering->port(), rendering->environment(), {}};
    return {};
}

FakeHost::Result FakeHost::unmanage(const Job& job) {
    FakeServer& server = world.servers[job.subject.name];
    if (server.unit.active != ActiveState::Inactive || server.mounted || server.runtime ||
        server.unit.enablement == Enablement::Enabled) {
        violations.push_back(
            fmt::format("forget {} although something of it is left", to_string(job.subject)));
    }
    server.managed = false;
    server.current.reset();
    server.renderings.clear();
    return {};
}

std::vector<std::string> FakeHost::users_of(const std::string& digest) const {
    const auto used_by = [&digest](const std::vector<std::string>& layers) {
        return std::any_of(layers.begin(), layers.end(),
                           [&digest](const std::string& layer) { return artifact_path(layer) == digest; });
    };
    std::vector<std::string> users;
    for (const auto& [name, server] : world.servers) {
        const bool held = server.unit.active == ActiveState::Active && server.in_game;
        const auto current = server.renderings.find(server.current.value_or(""));
        if ((server.mounted && used_by(*server.mounted)) || (held && used_by(*server.in_game)) ||
            (current != server.renderings.end() && used_by(current->second.layers)))
            users.push_back(name);
    }
    return users;
}

FakeHost::Result FakeHost::prune(const Job& job) {
    const std::vector<std::string> users = users_of(job.artifact);
    for (const std::string& name : users) {
        // A unit that was starting when the plan was made may have mounted it since: the host checks again
        // and refuses.
        const FakeServer& now = world.servers.at(name);
        const bool known = job.planned_from != nullptr && job.planned_from->contains(name);
        const bool mounted_since = known && now.stack() && now.stack() != job.planned_from->at(name).stack();
        if (!mounted_since)
            violations.push_back(fmt::format("collect {} although it is in use", job.artifact));
    }
    if (!users.empty()) return failed(FailureKind::InUse, "still in use");
    if (job.subject.kind == Kind::Overlay) {
        world.overlay_artifacts.erase(job.artifact);
        world.built.erase(job.artifact);
    } else {
        world.servers[job.subject.name].renderings.erase(job.artifact.substr(job.artifact.rfind('/') + 1));
    }
    return {};
}

}  // namespace left4me::test
