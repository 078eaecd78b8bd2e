#include <fmt/format.h>

#include <algorithm>

#include "reconciler/layers.hpp"
#include "support/fake_host.hpp"

namespace left4me::test {
namespace {

std::unexpected<Outcome> failed(std::string reason, std::string message) {
    return std::unexpected(Outcome{0, false, std::move(reason), std::move(message)});
}

std::uint64_t mix(std::uint64_t hash, std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    return (hash ^ 0xFFU) * 0x100000001B3U;
}

}  // namespace

FakeRendering make_rendering(const DesiredServer& server, const std::vector<std::string>& overlay_layers,
                             std::string& generation) {
    std::uint64_t hash = mix(mix(0xCBF29CE484222325U, server.environment), server.config);
    for (const std::string& layer : overlay_layers) hash = mix(hash, layer);
    if (server.writable) hash = mix(hash, *server.writable);
    generation = fmt::format("{:016x}", hash);
    FakeRendering rendering;
    rendering.port = server.port;
    rendering.environment = server.environment;
    rendering.layers.reserve(overlay_layers.size() + 2);
    rendering.layers.push_back(fmt::format("instances/{}/{}/layer", server.name, generation));
    rendering.layers.insert(rendering.layers.end(), overlay_layers.begin(), overlay_layers.end());
    rendering.layers.emplace_back("installation");
    return rendering;
}

std::expected<WantedRendering, std::string> FakeHost::wanted(const DesiredServer& server) const {
    if (const auto why = world.unrenderable.find(server.name); why != world.unrenderable.end()) {
        return std::unexpected(why->second);
    }
    std::vector<std::string> layers;
    for (const std::string& overlay : server.overlays) {
        const auto source = world.sources.find(overlay);
        if (source == world.sources.end())
            return std::unexpected(fmt::format("overlay {}: unknown", overlay));
        if (!source->second)
            return std::unexpected(fmt::format("overlay {}: {}", overlay, source->second.error()));
        layers.push_back(fmt::format("overlays/{}/{}", overlay, *source->second));
    }
    WantedRendering wanted;
    wanted.layers = make_rendering(server, layers, wanted.generation).layers;
    return wanted;
}

FakeHost::Result FakeHost::build(const Job& job) {
    const auto source = world.sources.find(job.subject.name);
    if (source_changes_during_builds || source == world.sources.end() || source->second != job.generation) {
        return failed("SourceChanged", "the source no longer has that content");
    }
    world.overlay_generations.insert(fmt::format("overlays/{}/{}", job.subject.name, job.generation));
    return {};
}

FakeHost::Result FakeHost::render(const Job& job) {
    const auto rendering =
        job.desired == nullptr ? std::unexpected(std::string("not desired")) : wanted(*job.desired);
    if (!rendering || rendering->generation != job.generation) {
        violations.push_back(
            fmt::format("render {} of a generation that is not wanted", to_string(job.subject)));
        return failed("IOError", "not wanted");
    }
    for (const std::string& layer : rendering->layers) {
        if (parse_layer(layer).kind == Layer::Kind::Overlay && !world.overlay_generations.contains(layer)) {
            violations.push_back(fmt::format("render {} before {} was built", to_string(job.subject), layer));
        }
    }
    FakeServer& server = world.servers[job.subject.name];
    server.ours = true;
    server.current = job.generation;
    server.renderings[job.generation] = {rendering->layers, job.desired->port, job.desired->environment, {}};
    return {};
}

FakeHost::Result FakeHost::forget(const Job& job) {
    FakeServer& server = world.servers[job.subject.name];
    if (server.unit.active != ActiveState::Inactive || server.mounted || server.runtime ||
        server.unit.enablement == Enablement::Enabled) {
        violations.push_back(
            fmt::format("forget {} although something of it is left", to_string(job.subject)));
    }
    server.ours = false;
    server.current.reset();
    server.renderings.clear();
    return {};
}

bool FakeHost::in_use(const std::string& generation) const {
    const auto used_by = [&generation](const std::vector<std::string>& layers) {
        return std::any_of(layers.begin(), layers.end(), [&generation](const std::string& layer) {
            return generation_path(layer) == generation;
        });
    };
    return std::any_of(world.servers.begin(), world.servers.end(), [&used_by](const auto& entry) {
        const FakeServer& server = entry.second;
        if (server.mounted && used_by(*server.mounted)) return true;
        if (server.unit.active == ActiveState::Active && server.in_game && used_by(*server.in_game))
            return true;
        return server.current && server.renderings.contains(*server.current) &&
               used_by(server.renderings.at(*server.current).layers);
    });
}

FakeHost::Result FakeHost::collect(const Job& job) {
    if (in_use(job.generation)) {
        violations.push_back(fmt::format("collect {} although it is in use", job.generation));
        return failed("InUse", "still in use");
    }
    if (job.subject.kind == SubjectKind::Overlay) {
        world.overlay_generations.erase(job.generation);
    } else {
        world.servers[job.subject.name].renderings.erase(
            job.generation.substr(job.generation.rfind('/') + 1));
    }
    return {};
}

}  // namespace left4me::test
