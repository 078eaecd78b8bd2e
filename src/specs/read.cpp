#include "specs/read.hpp"

#include <array>

#include "specs/grammars/calendar.hpp"
#include "specs/grammars/dscp.hpp"
#include "specs/grammars/duration.hpp"
#include "specs/grammars/integer.hpp"
#include "specs/grammars/percentage.hpp"
#include "specs/grammars/share.hpp"
#include "specs/grammars/signed.hpp"
#include "specs/grammars/size.hpp"
#include "specs/grammars/time_of_day.hpp"
#include "specs/overlay_roots.hpp"
#include "specs/value.hpp"

namespace left4me {
namespace {

Metadata read_metadata(const Value& metadata) {
    return {metadata["name"].text(), text_map(metadata["labels"])};
}

Server read_server(const Value& object, const Origin& origin) {
    const Value spec = object["spec"];
    const Value rollout = spec["rollout"];
    Server server;
    server.metadata = read_metadata(object["metadata"]);
    server.blueprint = spec["blueprint"].text();
    server.port = static_cast<std::uint16_t>(parse_integer(spec["port"].text()).value_or(0));
    server.state = one_of(spec["state"], std::array{RunState::Running, RunState::Stopped});
    server.rollout.policy =
        one_of(rollout["policy"],
               std::array{RolloutPolicy::OnNextStart, RolloutPolicy::WhenEmpty, RolloutPolicy::Immediate});
    server.rollout.deadline = parse_duration(rollout["deadline"].text());
    server.rollout.deadline_at = parse_time_of_day(rollout["deadline"].text());
    server.rollout.max_players =
        static_cast<unsigned>(parse_integer(rollout["maxPlayers"].text()).value_or(0));
    for (const std::string& lead : texts(rollout["warn"]))
        server.rollout.warn.push_back(parse_duration(lead).value_or(std::chrono::seconds(0)));
    if (const auto window = parse_window(rollout["window"].text()))
        server.rollout.window = DailyWindow{window->first, window->second};
    server.drift = one_of(spec["drift"], std::array{DriftPolicy::Correct, DriftPolicy::Report});
    server.origin = origin;
    return server;
}

ScheduleEntry read_scheduled(const Value& entry) {
    ScheduleEntry scheduled{entry["at"].text(), parse_calendar(entry["at"].text()).value_or(Calendar())};
    if (const Value command = entry["command"]; command.node != nullptr) scheduled.command = command.text();
    scheduled.when_empty = entry["when"].text() == "Empty";
    return scheduled;
}

Blueprint read_blueprint(const Value& object, const Origin& origin) {
    const Value spec = object["spec"];
    Blueprint blueprint{read_metadata(object["metadata"]), texts(spec["overlays"]), texts(spec["arguments"]),
                        spec["config"].text(), origin};
    if (const Value writable = spec["writable"]; writable.node != nullptr)
        blueprint.writable = texts(writable);
    blueprint.execute_configs = texts(spec["executeConfigs"]);
    if (const Value rcon = spec["rcon"]; rcon.node != nullptr) blueprint.rcon_secret = rcon["secret"].text();
    blueprint.cvars = text_map(spec["cvars"]);
    for (const Value& entry : items(spec["schedule"])) blueprint.schedule.push_back(read_scheduled(entry));
    const Value health = spec["health"];
    blueprint.health.startup = parse_duration(health["startup"].text()).value_or(blueprint.health.startup);
    blueprint.health.unresponsive = parse_duration(health["unresponsive"].text());
    const Value degraded = health["degraded"];
    Degraded& slow = blueprint.health.degraded;
    slow.below = parse_percentage(degraded["below"].text()).value_or(slow.below);
    slow.lasts = parse_duration(degraded["for"].text()).value_or(slow.lasts);
    slow.action =
        one_of(degraded["action"], std::array{DegradedAction::Report, DegradedAction::RestartWhenEmpty});
    const Value rollout = spec["rollout"];
    blueprint.rollout.canary = static_cast<unsigned>(parse_integer(rollout["canary"].text()).value_or(0));
    blueprint.rollout.max_unavailable = parse_share(rollout["maxUnavailable"].text());
    blueprint.rollout.soak = parse_duration(rollout["soak"].text()).value_or(blueprint.rollout.soak);
    blueprint.rollout.rollback_on_failure = rollout["rollbackOnFailure"].text() == "true";
    if (const Value installation = spec["installation"]; installation.node != nullptr)
        blueprint.installation = installation.text();
    return blueprint;
}

ArchiveSource read_archive(const Value& archive, const Limits& limits) {
    ArchiveSource source;
    for (std::string& url : texts(archive["url"])) {
        std::string root = url.starts_with('/') ? *find_root(url, limits.overlay_roots) : std::string();
        source.locations.push_back({std::move(url), std::move(root)});
    }
    source.sha256 = archive["sha256"].text();
    source.into = archive["into"].text();
    source.strip_components = parse_integer(archive["stripComponents"].text()).value_or(0);
    source.exclude = texts(archive["exclude"]);
    source.limits = limits.source;
    source.private_networks = limits.private_networks;
    return source;
}

GitSource read_git(const Value& git, const Limits& limits) {
    GitSource source;
    source.url = git["url"].text();
    if (source.url.starts_with('/')) source.root = *find_root(source.url, limits.overlay_roots);
    source.host_keys = texts(git["hostKeys"]);
    source.ref = git["ref"].text();
    source.path = git["path"].text();
    if (source.path == ".") source.path.clear();
    source.into = git["into"].text();
    source.exclude = texts(git["exclude"]);
    source.limits = limits.source;
    source.private_networks = limits.private_networks;
    return source;
}

MapIndexSource read_map_index(const Value& index, const Limits& limits) {
    return {index["url"].text(), texts(index["exclude"]), limits.source, limits.private_networks};
}

WorkshopSource read_workshop(const Value& workshop, const Limits& limits) {
    return {texts(workshop["items"]), texts(workshop["collections"]), texts(workshop["exclude"]),
            limits.source, limits.private_networks};
}

ScriptSource read_script(const Value& script, const Limits& limits) {
    ScriptSource source;
    source.run = script["run"].text();
    source.network = one_of(script["network"], std::array{ScriptNetwork::None, ScriptNetwork::Public});
    source.timeout = parse_duration(script["timeout"].text()).value_or(source.timeout);
    source.memory = parse_size(script["memory"].text()).value_or(0);
    source.disk = parse_size(script["disk"].text()).value_or(0);
    source.limits = limits.source;
    return source;
}

Overlay read_overlay(const Value& object, const Origin& origin, const Limits& limits) {
    const Value source = object["spec"]["source"];
    const Metadata metadata = read_metadata(object["metadata"]);
    if (const Value directory = source["directory"]; directory.node != nullptr) {
        const std::string path = directory.text();
        return {metadata, DirectorySource{path, *find_root(path, limits.overlay_roots), limits.source},
                origin};
    }
    if (const Value archive = source["archive"]; archive.node != nullptr)
        return {metadata, read_archive(archive, limits), origin};
    if (const Value git = source["git"]; git.node != nullptr)
        return {metadata, read_git(git, limits), origin};
    if (const Value index = source["mapIndex"]; index.node != nullptr)
        return {metadata, read_map_index(index, limits), origin};
    if (const Value workshop = source["workshop"]; workshop.node != nullptr)
        return {metadata, read_workshop(workshop, limits), origin};
    if (const Value script = source["script"]; script.node != nullptr)
        return {metadata, read_script(script, limits), origin};
    return {metadata, InlineSource{text_map(source["inline"]["files"])}, origin};
}

Overlay read_installation(const Value& object, const Origin& origin, const Limits& limits) {
    return {read_metadata(object["metadata"]),
            SteamSource{object["spec"]["build"].text(), limits.steamcmd, limits.source}, origin};
}

UnitSettings read_settings(const Value& games) {
    UnitSettings settings;
    const auto take = [&](const char* field, const char* setting, const auto& parse) {
        const Value value = games[field];
        if (value.node != nullptr) settings[setting] = std::to_string(parse(value.text()).value_or(0));
    };
    take("nice", "Nice", parse_signed);
    take("cpuWeight", "CPUWeight", parse_integer);
    take("memoryHigh", "MemoryHigh", parse_size);
    take("memoryMax", "MemoryMax", parse_size);
    take("dscp", dscp_setting, parse_dscp);
    return settings;
}

HostManifest read_host(const Value& object, const Origin& origin) {
    const Value spec = object["spec"];
    HostManifest host;
    host.metadata = read_metadata(object["metadata"]);
    host.system_cpus = parse_cpus(spec["cpus"]["system"].text());
    host.game_cpus = parse_cpus(spec["cpus"]["games"].text());
    host.games = read_settings(spec["games"]);
    for (const Value& item : items(spec["labeled"])) {
        LabeledSettings labeled{text_map(item["labels"]), read_settings(item)};
        if (const auto cpus = parse_cpus(item["cpus"].text()))
            labeled.settings[cpus_setting] = to_text(*cpus);
        host.labeled.push_back(std::move(labeled));
    }
    if (const auto number = parse_integer(spec["startParallel"].text()))
        host.start_parallel = static_cast<unsigned>(*number);
    host.origin = origin;
    return host;
}

}  // namespace

void read_object(const yaml::Node& root, const KindEntry& kind, const Origin& origin, const Limits& limits,
                 ManifestSet& set) {
    const Value object{&root, &kind.object};
    const std::string name = object["metadata"]["name"].text();
    switch (kind.kind) {
        case Kind::Server:
            set.servers.emplace(name, read_server(object, origin));
            return;
        case Kind::Blueprint:
            set.blueprints.emplace(name, read_blueprint(object, origin));
            return;
        case Kind::Overlay:
            set.overlays.emplace(name, read_overlay(object, origin, limits)).first->second.refresh =
                parse_calendar(object["spec"]["refresh"].text());
            return;
        case Kind::Installation:
            set.overlays.emplace(name, read_installation(object, origin, limits)).first->second.refresh =
                parse_calendar(object["spec"]["refresh"].text());
            return;
        case Kind::Host:
            set.hosts.emplace(name, read_host(object, origin));
            return;
    }
}

}  // namespace left4me
