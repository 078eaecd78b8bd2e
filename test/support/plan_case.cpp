#include "support/plan_case.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <stdexcept>

#include "reconciler/backoff.hpp"
#include "reconciler/layers.hpp"
#include "specs/grammars/calendar.hpp"
#include "specs/grammars/time_of_day.hpp"

namespace left4me::test {
namespace {

template <typename T>
T value_of(const YAML::Node& node, const char* key, T otherwise) {
    return node[key] ? node[key].as<T>() : otherwise;
}

template <typename Enum>
Enum enum_of(const YAML::Node& node, const char* key, std::initializer_list<Enum> values, Enum otherwise) {
    if (!node[key]) return otherwise;
    const auto text = node[key].as<std::string>();
    for (const Enum value : values) {
        if (text == to_string(value)) return value;
    }
    throw std::runtime_error("no such value: " + text);
}

/// A word that the tables do not know would silently test nothing.
void check_keys(const YAML::Node& node, std::initializer_list<const char*> known) {
    for (const auto& entry : node) {
        const auto key = entry.first.as<std::string>();
        if (std::find(known.begin(), known.end(), key) == known.end())
            throw std::runtime_error("unknown key " + key);
    }
}

ScheduleEntry make_entry(const YAML::Node& node) {
    check_keys(node, {"at", "command", "when"});
    ScheduleEntry entry{node["at"].as<std::string>(), parse_calendar(node["at"].as<std::string>()).value()};
    if (node["command"]) entry.command = node["command"].as<std::string>();
    entry.when_empty = value_of<std::string>(node, "when", "") == "Empty";
    return entry;
}

DesiredServer make_server(const std::string& name, std::uint16_t port, const YAML::Node& node) {
    check_keys(node, {"port",     "state",        "rollout", "deadline", "deadline_at", "max_players",
                      "window",   "warn",         "drift",   "overlays", "arguments",   "config",
                      "startup",  "unresponsive", "canary",  "soak",     "rollback",    "max_unavailable",
                      "schedule", "cvars",        "rcon",    "degraded"});
    DesiredServer server;
    server.name = name;
    server.blueprint = "b";
    server.port = value_of(node, "port", port);
    server.state = enum_of(node, "state", {RunState::Running, RunState::Stopped}, RunState::Running);
    server.rollout.policy = enum_of(
        node, "rollout", {RolloutPolicy::OnNextStart, RolloutPolicy::WhenEmpty, RolloutPolicy::Immediate},
        RolloutPolicy::OnNextStart);
    if (node["deadline"]) server.rollout.deadline = std::chrono::seconds(node["deadline"].as<int>());
    if (node["deadline_at"])
        server.rollout.deadline_at = parse_time_of_day(node["deadline_at"].as<std::string>()).value();
    server.rollout.max_players = value_of(node, "max_players", 0U);
    if (node["window"]) {
        const auto [from, until] = parse_window(node["window"].as<std::string>()).value();
        server.rollout.window = DailyWindow{from, until};
    }
    for (const YAML::Node& lead : node["warn"]) server.rollout.warn.emplace_back(lead.as<int>());
    for (const YAML::Node& entry : node["schedule"]) server.schedule.push_back(make_entry(entry));
    if (node["cvars"]) server.cvars = node["cvars"].as<Cvars>();
    server.has_console = value_of(node, "rcon", false);
    server.blueprint_rollout.canary = value_of(node, "canary", 0U);
    if (node["soak"]) server.blueprint_rollout.soak = std::chrono::seconds(node["soak"].as<int>());
    server.blueprint_rollout.rollback_on_failure = value_of(node, "rollback", false);
    if (node["max_unavailable"])
        server.blueprint_rollout.max_unavailable = parse_share(node["max_unavailable"].as<std::string>());
    if (node["startup"]) server.health.startup = std::chrono::seconds(node["startup"].as<int>());
    if (node["unresponsive"])
        server.health.unresponsive = std::chrono::seconds(node["unresponsive"].as<int>());
    server.health.degraded.action = enum_of(
        node, "degraded", {DegradedAction::Report, DegradedAction::RestartWhenEmpty}, DegradedAction::Report);
    server.drift = enum_of(node, "drift", {DriftPolicy::Correct, DriftPolicy::Report}, DriftPolicy::Correct);
    server.config = value_of<std::string>(node, "config", "hostname x");
    server.environment = fmt::format("PORT={} {}", server.port, value_of<std::string>(node, "arguments", ""));
    if (node["overlays"]) {
        for (const YAML::Node& overlay : node["overlays"])
            server.overlays.push_back(overlay.as<std::string>());
    }
    return server;
}

Drain make_drain(const YAML::Node& node, TimePoint now) {
    check_keys(node, {"ago", "deadline", "deadline_at", "message", "begun"});
    Drain drain{.by = "alice", .at = now - std::chrono::seconds(value_of(node, "ago", 0))};
    if (node["deadline"]) drain.deadline = std::chrono::seconds(node["deadline"].as<int>());
    if (node["deadline_at"]) drain.deadline_at = parse_time_of_day(node["deadline_at"].as<std::string>());
    drain.message = value_of<std::string>(node, "message", "");
    drain.begun = value_of(node, "begun", true);
    return drain;
}

StopRequest make_stop(const YAML::Node& node, TimePoint now) {
    const YAML::Node names = node.IsSequence() ? node : node["servers"];
    if (!node.IsSequence()) check_keys(node, {"servers", "removes", "waits", "drain"});
    StopRequest request;
    for (const YAML::Node& name : names) request.servers.insert(name.as<std::string>());
    request.removes = node.IsMap() && value_of(node, "removes", false);
    request.waits = node.IsMap() && value_of(node, "waits", false);
    if (node.IsMap() && node["drain"]) request.drain = make_drain(node["drain"], now);
    return request;
}

class Builder {
  public:
    explicit Builder(const YAML::Node& row) : row_(row) {}

    PlanCase make() {
        check_keys(row_, {"name",     "servers",      "overlays",        "found",  "disk",
                          "not_disk", "installation", "approved",        "insist", "suspended",
                          "restarts", "stops",        "failed_overlays", "want",   "agree",
                          "differ",   "interrupts",   "rollbacks",       "keep",   "too_slow",
                          "built",    "probed",       "silent"});
        made_.desired.revision = "r1";
        if (value_of<std::string>(row_, "approved", "false") != "false")
            made_.intent.approved =
                row_["approved"].as<std::string>() == "true" ? "r1" : row_["approved"].as<std::string>();
        made_.world.installation = value_of(row_, "installation", true);
        made_.world.is_probed = value_of(row_, "probed", false);
        made_.world.now = TimePoint(std::chrono::hours(100));
        if (value_of(row_, "insist", false)) made_.intent.retry_before = made_.world.now;
        for (const YAML::Node& request : row_["stops"])
            made_.intent.stops.push_back(make_stop(request, made_.world.now));
        for (const auto& entry : row_["overlays"]) add_overlay(entry.first.as<std::string>(), entry.second);
        std::uint16_t port = 27015;
        for (const auto& entry : row_["servers"]) {
            const auto name = entry.first.as<std::string>();
            made_.desired.servers.emplace(name, make_server(name, port++, entry.second));
        }
        for (const auto& [name, server] : made_.desired.servers) {
            const bool told = row_["found"] && row_["found"][name];
            const YAML::Node found = told ? row_["found"][name] : YAML::Node(YAML::NodeType::Map);
            if (found.IsScalar() && found.as<std::string>() == "absent") continue;
            add_found(name, found, &server);
        }
        for (const auto& entry : row_["found"]) {
            const auto name = entry.first.as<std::string>();
            if (!made_.desired.servers.contains(name)) add_found(name, entry.second, nullptr);
        }
        for (const auto& entry : row_["suspended"]) suspend(entry.first.as<std::string>(), entry.second);
        for (const YAML::Node& request : row_["restarts"]) ask_for_restart(request);
        for (const auto& entry : row_["failed_overlays"])
            made_.failed_overlays[entry.first.as<std::string>()] = make_failed(entry.second);
        for (const YAML::Node& path : row_["disk"]) {
            made_.world.overlay_artifacts.insert("overlays/" + path.as<std::string>());
        }
        for (const auto& entry : row_["rollbacks"]) {
            made_.intent.rollbacks[entry.first.as<std::string>()] = {
                .artifact = entry.second.as<std::string>(), .by = "alice", .at = made_.world.now};
        }
        made_.keep_artifacts = value_of<std::size_t>(row_, "keep", 1);
        auto built = made_.world.now;
        for (const YAML::Node& path : row_["built"])
            made_.world.built["overlays/" + path.as<std::string>()] = built -= std::chrono::hours(1);
        for (const YAML::Node& path : row_["not_disk"]) {
            made_.world.overlay_artifacts.erase("overlays/" + path.as<std::string>());
        }
        return std::move(made_);
    }

  private:
    /// `ends` is in seconds from now; negative: it has ended. The name `all` means everything.
    void suspend(const std::string& name, const YAML::Node& node) {
        check_keys(node, {"reason", "by", "ends"});
        Suspension suspension{value_of<std::string>(node, "reason", ""),
                              value_of<std::string>(node, "by", ""),
                              made_.world.now,
                              {}};
        if (node["ends"]) suspension.until = made_.world.now + std::chrono::seconds(node["ends"].as<int>());
        if (name == "all") {
            made_.intent.suspended.all = suspension;
        } else {
            made_.intent.suspended.servers[name] = suspension;
        }
    }

    /// Of the process that runs, unless `done` says that it was restarted since.
    void ask_for_restart(const YAML::Node& node) {
        check_keys(node, {"servers", "when_empty", "staggered", "done"});
        RestartRequest request{.by = "alice",
                               .at = made_.world.now,
                               .when_empty = value_of(node, "when_empty", false),
                               .staggered = value_of(node, "staggered", false),
                               .invocations = {}};
        for (const YAML::Node& server : node["servers"])
            request.invocations.emplace(server.as<std::string>(), "0");
        for (const YAML::Node& server : node["done"])
            request.invocations.emplace(server.as<std::string>(), "another");
        made_.intent.restarts.push_back(std::move(request));
    }

    static PlanCase::Failed make_failed(const YAML::Node& node) {
        check_keys(node, {"times", "retry_in", "asked"});
        return {value_of(node, "times", 1U), std::chrono::seconds(node["retry_in"].as<int>()),
                value_of<std::string>(node, "asked", "the same") == "the same"};
    }

    void add_overlay(const std::string& name, const YAML::Node& node) {
        made_.desired.overlays.emplace(name, InlineSource{});
        if (node.IsMap()) {
            made_.world.sources.emplace(name, std::unexpected(node["error"].as<std::string>()));
            return;
        }
        made_.world.sources.emplace(name, node.as<std::string>());
        made_.world.overlay_artifacts.insert("overlays/" + name + "/" + node.as<std::string>());
    }

    std::optional<std::string> render(FakeServer& server, const DesiredServer& as,
                                      const std::vector<std::string>& layers) {
        std::string digest;
        FakeRendering rendering = make_rendering(as, layers, digest);
        for (const std::string& layer : layers) made_.world.overlay_artifacts.insert(layer);
        server.renderings.emplace(digest, std::move(rendering));
        return digest;
    }

    /// The rendering of the current manifests; none if it is unknown.
    std::optional<std::string> render_as_asked(FakeServer& server, const DesiredServer& asked) {
        std::vector<std::string> layers;
        for (const std::string& overlay : asked.overlays) {
            const auto& source = made_.world.sources.at(overlay);
            const bool rolled_back = row_["rollbacks"] && row_["rollbacks"][overlay];
            if (!source && !rolled_back) return std::nullopt;
            const auto artifact = rolled_back ? row_["rollbacks"][overlay].as<std::string>() : *source;
            layers.push_back(fmt::format("overlays/{}/{}", overlay, artifact));
        }
        return render(server, asked, layers);
    }

    /// The rendering of earlier manifests: `overlays` maps to digests.
    std::optional<std::string> render_as_it_was(FakeServer& server, const std::string& name,
                                                const DesiredServer* asked, const YAML::Node& was) {
        YAML::Node others = YAML::Clone(was);
        others.remove("overlays");
        DesiredServer earlier = make_server(name, asked == nullptr ? 27015 : asked->port, others);
        std::vector<std::string> layers;
        for (const auto& entry : was["overlays"]) {
            layers.push_back(
                fmt::format("overlays/{}/{}", entry.first.as<std::string>(), entry.second.as<std::string>()));
        }
        return render(server, earlier, layers);
    }

    static ObservedConsole console_of(const std::string& word) {
        if (word == "silent") return {ObservedConsole::State::Silent, 0, false, {}};
        if (word == "refuses") return {ObservedConsole::State::Refused, 0, false, {}};
        if (word != "empty" && word != "reserved") throw std::runtime_error("no such console: " + word);
        return {ObservedConsole::State::Answered, 0, word == "reserved", {}};
    }

    void add_found(const std::string& name, const YAML::Node& node, const DesiredServer* asked) {
        check_keys(
            node, {"active", "result",     "enablement", "players", "asked_ago", "console",    "has_console",
                   "warned", "managed",    "runtime",    "was",     "current",   "mounted",    "unmounted",
                   "edited", "remembered", "held",       "failed",  "drained",   "awaits",     "awaits_stop",
                   "up",     "silent",     "unread",     "healthy", "failure",   "failure_of", "schedule_for",
                   "cvars",  "tried",      "slow",       "in_vain", "slow_for"});
        FakeServer server;
        server.unit.active = enum_of(node, "active",
                                     {ActiveState::Inactive, ActiveState::Activating, ActiveState::Active,
                                      ActiveState::Deactivating, ActiveState::Failed},
                                     ActiveState::Active);
        server.unit.result = value_of<std::string>(node, "result", "");
        server.unit.enablement =
            enum_of(node, "enablement", {Enablement::Disabled, Enablement::Enabled, Enablement::Masked},
                    Enablement::Enabled);
        server.managed = value_of(node, "managed", true);
        if (node["players"]) server.players = node["players"].as<unsigned>();
        server.players_age = std::chrono::seconds(value_of(node, "asked_ago", 0));
        server.has_console = value_of(node, "has_console", false);
        if (node["schedule_for"])
            made_.schedule_for[name] = std::chrono::seconds(node["schedule_for"].as<int>());
        if (node["up"])
            server.unit.active_since = made_.world.now - std::chrono::seconds(node["up"].as<int>());
        const auto silent = value_of<std::string>(node, "silent", "0");
        if (silent != "unheard") {
            server.socket =
                ObservedSocket{.has_answered = true, .silent = std::chrono::seconds(std::stoi(silent))};
            if (node["unread"]) server.socket->unread = std::chrono::seconds(node["unread"].as<int>());
        }
        if (node["slow"])
            made_.ticks[name] = {
                .start = server.unit.active_since,
                .is_slow = node["slow"].as<bool>(),
                .slow_since = made_.world.now - std::chrono::seconds(value_of(node, "slow_for", 60)),
                .in_vain = value_of(node, "in_vain", 0U)};
        if (node["warned"]) made_.warned_ago[name] = std::chrono::seconds(node["warned"].as<int>());
        if (node["cvars"]) {
            server.cvars.emplace();
            for (const auto& cvar : node["cvars"])
                server.cvars->values[cvar.first.as<std::string>()] =
                    cvar.second.IsNull() ? std::nullopt : std::optional(cvar.second.as<std::string>());
        }
        if (node["tried"]) made_.tried[name] = node["tried"].as<std::map<std::string, std::string>>();
        if (node["console"]) server.console = console_of(node["console"].as<std::string>());
        if (server.managed) add_renderings(server, name, node, asked);
        server.runtime = value_of(node, "runtime", server.mounted.has_value());
        if (node["remembered"]) {
            made_.remembered_unchanged[name] = node["remembered"].as<std::string>() == "unchanged";
        }
        if (node["failed"]) made_.failed[name] = make_failed(node["failed"]);
        if (node["awaits"]) made_.awaited[name] = {node["awaits"].as<std::string>(), true};
        if (node["awaits_stop"]) made_.awaited[name] = {node["awaits_stop"].as<std::string>(), false};
        if (node["healthy"] || node["failure"])
            made_.trials[name] = {std::chrono::seconds(value_of(node, "healthy", -1)),
                                  value_of<std::string>(node, "failure", "")};
        if (node["drained"]) made_.drained_for[name] = std::chrono::seconds(node["drained"].as<int>());
        if (node["held"]) made_.held_for[name] = std::chrono::seconds(node["held"].as<int>());
        made_.world.servers.emplace(name, std::move(server));
    }

    void add_renderings(FakeServer& server, const std::string& name, const YAML::Node& node,
                        const DesiredServer* asked) {
        std::optional<std::string> was;
        if (node["was"]) was = render_as_it_was(server, name, asked, node["was"]);
        const auto current = value_of<std::string>(node, "current", was ? "was" : "asked");
        const bool running = server.unit.active == ActiveState::Active;
        if (was && node["failure"])
            (value_of<std::string>(node, "failure_of", "asked") == "was" ? made_.broken_before
                                                                         : made_.fallbacks)[name] = *was;
        const bool layers = node["mounted"] && node["mounted"].IsSequence();
        const auto mounted =
            layers ? "" : value_of<std::string>(node, "mounted", running ? was ? "was" : "asked" : "none");
        std::optional<std::string> wanted;
        if (asked != nullptr && (current == "asked" || mounted == "asked"))
            wanted = render_as_asked(server, *asked);
        if (asked == nullptr && !was)
            was = render_as_it_was(server, name, asked, YAML::Node(YAML::NodeType::Map));
        if (current != "none") server.current = current == "asked" && asked != nullptr ? wanted : was;
        if (node["edited"] && wanted)
            server.renderings.at(*wanted).damaged = node["edited"].as<std::vector<std::string>>();
        if (layers) server.mounted = node["mounted"].as<std::vector<std::string>>();
        if (mounted == "was" || (mounted == "asked" && !wanted))
            server.mounted = server.renderings.at(was.value()).layers;
        if (mounted == "asked" && wanted) server.mounted = server.renderings.at(*wanted).layers;
        if (running) server.in_game = server.mounted;
        if (value_of(node, "unmounted", false)) server.mounted.reset();
    }

    const YAML::Node& row_;
    PlanCase made_;
};

}  // namespace

Memory PlanCase::memory(const Target& target) const {
    Memory memory;
    for (const auto& [name, unchanged] : remembered_unchanged) {
        const TargetServer* const server = target.find(name);
        memory.servers[name].fingerprint = !unchanged ? "of an earlier revision"
                                           : server != nullptr && server->rendering
                                               ? fingerprint(*server->spec, server->digest())
                                               : "cannot be told";
    }
    const auto backoff = [this](const Failed& failure, const std::string& asked) {
        Backoff made;
        made.failures = failure.failures;
        made.retry_at = world.now + failure.retry_in;
        made.failed_at = world.now - std::chrono::seconds(1);
        made.spec_hash = failure.of_what_is_asked ? asked : "something else";
        return made;
    };
    for (const auto& [name, failure] : failed)
        memory.servers[name].backoff = backoff(failure, server_spec_hash(target.find(name)));
    for (const auto& [name, failure] : failed_overlays)
        memory.overlays[name] = backoff(failure, overlay_spec_hash(target, name));
    for (const auto& [name, since] : drained_for) memory.servers[name].draining_since = world.now - since;
    for (const auto& [name, since] : held_for) memory.servers[name].held_since = world.now - since;
    for (const auto& [name, since] : schedule_for)
        memory.servers[name].schedule =
            next_schedule_memory(desired.servers.at(name).schedule, {}, world.now - since);
    for (const auto& [name, values] : tried) {
        for (const auto& [cvar, value] : values) memory.servers[name].cvars[cvar] = {value, world.now};
    }
    for (const auto& [name, told] : trials) {
        Trial& trial = memory.servers[name].trial;
        trial = {
            .rendering = std::string(target.find(name)->digest()), .healthy = {}, .failure = told.failure};
        const auto broken = broken_before.find(name);
        if (broken != broken_before.end()) trial.rendering = broken->second;
        if (!told.failure.empty()) trial.failed = trial.rendering;
        if (const auto before = fallbacks.find(name); before != fallbacks.end())
            trial.fallback = before->second;
        if (told.healthy_for >= told.healthy_for.zero()) trial.healthy = world.now - told.healthy_for;
    }
    for (const auto& [name, tick] : ticks) memory.servers[name].tick = tick;
    for (const auto& [name, since] : warned_ago) memory.servers[name].warned = world.now - since;
    for (const auto& [name, awaits] : awaited) {
        memory.servers[name].awaits_approval = awaits.revision;
        memory.servers[name].awaits_removal = awaits.removal;
    }
    return memory;
}

PlanCase make_plan_case(const YAML::Node& row) { return Builder(row).make(); }

}  // namespace left4me::test
