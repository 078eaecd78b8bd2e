#include "support/worlds.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

#include "reconciler/backoff.hpp"
#include "specs/grammars/calendar.hpp"

namespace left4me::test {
namespace {

constexpr std::array<const char*, 2> digests{"aaaa000000000001", "bbbb000000000002"};
constexpr std::array<const char*, 4> names{"a", "b", "c", "d"};
constexpr std::array<const char*, 3> overlay_names{"maps", "rework", "tickrate"};
constexpr std::uint16_t first_port = 27015;

class Generator {
  public:
    Generator(Choices& choices, const WorldOptions& options) : choices_(choices), options_(options) {}

    Case make() {
        made_.desired.revision = "r1";
        if (options_.plain || choices_.one_in(2)) made_.intent.approved = "r1";
        made_.world.now = TimePoint(std::chrono::hours(1));
        made_.world.installation = options_.plain || !choices_.one_in(16);
        if (!options_.plain && choices_.one_in(3)) make_blueprint_rollout();
        make_overlays();
        const std::uint32_t count = 1 + choices_.below(options_.servers);
        port_offset_ = choices_.below(count);
        for (std::uint32_t index = 0; index < count; ++index) make_server(names[index], index, count);
        if (!options_.plain && choices_.one_in(24))
            made_.intent.suspended.all = Suspension{"because", "alice", {}, {}};
        ask_for_restarts();
        ask_for_resets();
        roll_back();
        drain();
        return std::move(made_);
    }

  private:
    void make_overlays() {
        for (const char* name : overlay_names) {
            if (choices_.one_in(2)) continue;
            const bool named = !choices_.one_in(6);
            for (const char* digest : digests) {
                if (choices_.one_in(2)) made_.world.overlay_artifacts.insert(path(name, digest));
            }
            if (!named) continue;
            made_.desired.overlays.emplace(name, InlineSource{});
            overlays_.emplace_back(name);
            if (!options_.plain && choices_.one_in(12)) {
                made_.world.sources.emplace(name, std::unexpected(std::string("permission denied")));
            } else {
                made_.world.sources.emplace(name, digests[choices_.below(2)]);
            }
        }
    }

    void make_blueprint_rollout() {
        blueprint_rollout_.canary = choices_.below(3);
        blueprint_rollout_.rollback_on_failure = choices_.one_in(2);
        if (choices_.one_in(2)) blueprint_rollout_.max_unavailable = Share{1, false};
        made_.world.is_probed = choices_.one_in(2);
    }

    static std::string path(const std::string& overlay, const std::string& digest) {
        return fmt::format("overlays/{}/{}", overlay, digest);
    }

    DesiredServer make_desired(const std::string& name, std::uint32_t index, std::uint32_t count) {
        DesiredServer server;
        server.name = name;
        server.port = static_cast<std::uint16_t>(first_port + (index + port_offset_) % count);
        server.state = choices_.one_of({RunState::Running, RunState::Stopped});
        server.blueprint = "b";
        for (const std::string& overlay : overlays_) {
            if (choices_.one_in(2)) server.overlays.push_back(overlay);
        }
        server.environment = fmt::format("PORT={} ARGUMENTS={}", server.port, choices_.below(2));
        server.config = choices_.one_of({"hostname 1", "hostname 2"});
        server.rollout.policy = RolloutPolicy::Immediate;
        if (options_.plain) return server;
        server.blueprint_rollout = blueprint_rollout_;
        if (choices_.one_in(6)) server.schedule.push_back({"00:30", parse_calendar("00:30").value()});
        server.rollout.policy =
            choices_.one_of({RolloutPolicy::Immediate, RolloutPolicy::OnNextStart, RolloutPolicy::WhenEmpty});
        if (choices_.one_in(6)) {
            server.has_console = true;
            server.health.degraded.action = DegradedAction::RestartWhenEmpty;
        }
        if (choices_.one_in(3)) server.rollout.deadline = std::chrono::seconds(600);
        if (choices_.one_in(8)) server.rollout.max_players = 3;
        if (!options_.plain && choices_.one_in(8)) {
            const std::chrono::hours from(choices_.below(24));
            server.rollout.window = DailyWindow{from, (from + std::chrono::hours(8)) % std::chrono::days(1)};
        }
        server.drift = choices_.one_in(4) ? DriftPolicy::Report : DriftPolicy::Correct;
        if (choices_.one_in(12)) server.config += " ${secret:rcon}";  // there is no such secret
        return server;
    }

    /// A rendering of an earlier revision. Everything that it uses is on disk, because it could not have been
    /// mounted otherwise.
    std::string add_old_rendering(FakeServer& server, DesiredServer earlier, std::uint32_t count) {
        earlier.port = static_cast<std::uint16_t>(first_port + choices_.below(count));
        earlier.environment = fmt::format("PORT={} ARGUMENTS={}", earlier.port, choices_.below(2));
        earlier.config = choices_.one_of({"hostname 1", "hostname 2", "hostname 3"});
        std::vector<std::string> layers;
        for (const char* overlay : overlay_names) {
            if (!choices_.one_in(3)) continue;
            layers.push_back(path(overlay, digests[choices_.below(2)]));
            made_.world.overlay_artifacts.insert(layers.back());
        }
        return add_rendering(server, earlier, layers);
    }

    static std::string add_rendering(FakeServer& server, const DesiredServer& of,
                                     const std::vector<std::string>& layers) {
        std::string digest;
        FakeRendering rendering = make_rendering(of, layers, digest);
        server.renderings.insert_or_assign(digest, std::move(rendering));
        return digest;
    }

    /// The target rendering, if known, as left by an earlier pass.
    std::optional<std::string> add_wanted_rendering(FakeServer& server, const DesiredServer& desired) {
        std::vector<std::string> layers;
        for (const std::string& overlay : desired.overlays) {
            const auto& source = made_.world.sources.at(overlay);
            if (!source) return std::nullopt;
            layers.push_back(path(overlay, *source));
            made_.world.overlay_artifacts.insert(layers.back());
        }
        return add_rendering(server, desired, layers);
    }

    void make_renderings(FakeServer& server, const DesiredServer& desired, bool named, std::uint32_t count) {
        server.managed = !named || !choices_.one_in(4);
        if (!server.managed) return;
        std::vector<std::string> made;
        if (named && !choices_.one_in(3)) {
            if (const auto wanted = add_wanted_rendering(server, desired)) made.push_back(*wanted);
        }
        for (std::uint32_t more = choices_.below(3); more > 0; --more) {
            made.push_back(add_old_rendering(server, desired, count));
        }
        if (made.empty()) return;
        if (!choices_.one_in(8))
            server.current = made[choices_.below(static_cast<std::uint32_t>(made.size()))];
        if (choices_.one_in(6)) server.renderings.at(made.front()).damaged = {"server.env"};
        if (choices_.one_in(3)) return;
        server.mounted =
            server.renderings.at(made[choices_.below(static_cast<std::uint32_t>(made.size()))]).layers;
        if (choices_.one_in(12)) server.mounted->insert(server.mounted->begin() + 1, "/srv/by-hand");
    }

    void make_server(const std::string& name, std::uint32_t index, std::uint32_t count) {
        const bool named = !choices_.one_in(3);
        FakeServer server;
        DesiredServer desired = make_desired(name, index, count);
        const bool foreign = !named && !options_.plain && choices_.one_in(3);
        if (!foreign) make_renderings(server, desired, named, count);
        server.runtime = server.mounted.has_value() || choices_.one_in(2);
        server.unit.active = choices_.one_of({ActiveState::Inactive, ActiveState::Active, ActiveState::Failed,
                                              ActiveState::Activating, ActiveState::Deactivating});
        server.unit.enablement =
            choices_.one_of({Enablement::Disabled, Enablement::Enabled, Enablement::Masked});
        if (server.unit.active == ActiveState::Active) server.in_game = server.mounted;
        if (server.unit.active == ActiveState::Active && !options_.plain)
            server.unit.active_since = made_.world.now - std::chrono::hours(1);
        if (server.in_game && choices_.one_in(4)) server.mounted.reset();  // umount by hand
        if (server.unit.active == ActiveState::Failed) server.unit.result = "start-limit-hit";
        if (server.unit.active == ActiveState::Failed) server.starts = FakeHost::start_limit;
        if (choices_.one_in(2)) server.players = choices_.below(2) * 3;
        if (choices_.one_in(4)) server.players_age = std::chrono::seconds(6);
        server.reserved = choices_.one_in(6);
        if (server.reserved && choices_.one_in(2))
            server.console = ObservedConsole{ObservedConsole::State::Answered, 0, true, {}};
        remember(name, desired, server);
        made_.world.servers.emplace(name, std::move(server));
        suspend(name);
        if (named) made_.desired.servers.emplace(name, std::move(desired));
    }

    /// Of what runs, or of what has run before.
    void ask_for_restarts() {
        if (!choices_.one_in(4)) return;
        RestartRequest request{.by = "alice",
                               .at = made_.world.now,
                               .when_empty = !options_.plain && choices_.one_in(2),
                               .staggered = choices_.one_in(2),
                               .invocations = {}};
        for (const auto& [name, server] : made_.world.servers) {
            if (choices_.one_in(3)) continue;
            request.invocations.emplace(name,
                                        choices_.one_in(4) ? "another" : std::to_string(server.processes));
        }
        if (!request.invocations.empty()) made_.intent.restarts.push_back(std::move(request));
    }

    void ask_for_resets() {
        if (!choices_.one_in(6)) return;
        for (const auto& [name, server] : made_.world.servers) {
            if (choices_.one_in(2)) continue;
            made_.intent.resets[name] = {
                .by = "alice",
                .at = made_.world.now,
                .reason = {},
                .directory = server.runtime && !choices_.one_in(4) ? "directory 0" : "another"};
        }
    }

    /// Of servers that shall be stopped, or that somebody wants to run again.
    void drain() {
        if (options_.plain || !choices_.one_in(3)) return;
        StopRequest request;
        request.drain = Drain{.by = "alice", .at = made_.world.now};
        request.drain->begun = choices_.one_in(2);
        if (choices_.one_in(3)) {
            request.drain->at -= std::chrono::seconds(1000);
            request.drain->deadline = std::chrono::seconds(600);
        }
        for (const auto& [name, server] : made_.desired.servers) {
            if (choices_.one_in(3)) continue;
            request.servers.insert(name);
            if (choices_.one_in(2))
                made_.previous.servers[name].remembered.draining_since = request.drain->at;
        }
        made_.intent.stops.push_back(std::move(request));
    }

    void roll_back() {
        if (options_.plain) return;
        for (const char* name : overlay_names) {
            if (choices_.one_in(8))
                made_.intent.rollbacks[name] = {
                    .artifact = digests[choices_.below(2)], .by = "alice", .at = made_.world.now};
        }
    }

    std::string asked_as_the_fake_sees_it(const std::string& name, const DesiredServer& desired) {
        Desired alone;
        alone.overlays = made_.desired.overlays;
        alone.servers.emplace(name, desired);
        const Target target = FakeHost(made_.world).target(alone);
        return server_spec_hash(target.find(name));
    }

    void suspend(const std::string& name) {
        if (options_.plain || !choices_.one_in(8)) return;
        Suspension suspension{"because", "alice", made_.world.now, {}};
        if (choices_.one_in(3)) suspension.until = made_.world.now;
        made_.intent.suspended.servers.emplace(name, std::move(suspension));
    }

    void remember(const std::string& name, const DesiredServer& desired, const FakeServer& server) {
        if (choices_.one_in(2)) return;
        Remembered& memory = made_.previous.servers[name].remembered;
        const bool same = choices_.one_in(2);
        memory.schedule = next_schedule_memory(desired.schedule, {}, made_.world.now - std::chrono::hours(1));
        memory.fingerprint =
            same && server.current ? fingerprint(desired, *server.current) : "something else";
        if (choices_.one_in(2))
            memory.held_since = made_.world.now - std::chrono::seconds(choices_.below(2) * 1000);
        if (desired.has_console && choices_.one_in(2))
            memory.tick = {.start = server.unit.active_since, .is_slow = true, .in_vain = choices_.below(3)};
        if (choices_.one_in(4)) {
            memory.backoff.failures = 1 + choices_.below(6);
            memory.backoff.failed_at = made_.world.now - std::chrono::seconds(5);
            memory.backoff.retry_at =
                *memory.backoff.failed_at + backoff_delay(name, memory.backoff.failures);
            memory.backoff.spec_hash =
                choices_.one_in(3) ? "something else" : asked_as_the_fake_sees_it(name, desired);
        }
    }

    Choices& choices_;
    const WorldOptions& options_;
    Case made_;
    std::vector<std::string> overlays_;
    std::uint32_t port_offset_ = 0;
    BlueprintRollout blueprint_rollout_;
};

}  // namespace

Case make_case(Choices& choices, const WorldOptions& options) { return Generator(choices, options).make(); }

std::string describe(const Case& generated) {
    const auto& [desired, intent, world, previous] = generated;
    std::string text = fmt::format("revision {}approved, {}installed\n",
                                   intent.approved.empty() ? "not " : "", world.installation ? "" : "not ");
    for (const auto& [name, source] : world.sources) {
        text += fmt::format("  overlay {}: {}\n", name, source ? *source : "error: " + source.error());
    }
    text += fmt::format("  on disk: {}\n", fmt::join(world.overlay_artifacts, " "));
    for (const auto& [name, server] : desired.servers) {
        text += fmt::format("  wanted {}: {} port {} rollout {} drift {} overlays [{}] {} {}\n", name,
                            to_string(server.state), server.port, to_string(server.rollout.policy),
                            to_string(server.drift), fmt::join(server.overlays, " "), server.environment,
                            server.config);
    }
    for (const auto& [name, server] : world.servers) {
        text +=
            fmt::format("  found {}: {} {} {}current {} runtime {} players {} mounted {} in game {}\n", name,
                        to_string(server.unit.active), to_string(server.unit.enablement),
                        server.managed ? "managed " : "", server.current.value_or("-"), server.runtime,
                        server.players ? fmt::format("{} ({})", *server.players, server.players_age) : "?",
                        server.mounted ? fmt::format("[{}]", fmt::join(*server.mounted, " ")) : "nothing",
                        server.in_game ? fmt::format("[{}]", fmt::join(*server.in_game, " ")) : "nothing");
        for (const auto& [digest, rendering] : server.renderings) {
            text += fmt::format("    rendering {} port {} [{}] damaged [{}]\n", digest, rendering.port,
                                fmt::join(rendering.layers, " "), fmt::join(rendering.damaged, " "));
        }
    }
    for (const auto& [name, status] : previous.servers) {
        text += fmt::format("  remembered {}: {}{}{}\n", name, status.remembered.fingerprint,
                            status.remembered.held_since ? " held" : "",
                            status.remembered.backoff.failures > 0 ? " failed" : "");
    }
    for (const auto& [name, suspension] : intent.suspended.servers)
        text += fmt::format("  {}: {}\n", name, suspension_text(suspension));
    if (intent.suspended.all) text += "  everything is suspended\n";
    for (const RestartRequest& request : intent.restarts) {
        text += fmt::format("  {}{}{}:", request_text(request), request.when_empty ? ", when empty" : "",
                            request.staggered ? ", staggered" : "");
        for (const auto& [name, invocation] : request.invocations)
            text += fmt::format(" {}={}", name, invocation);
        text += "\n";
    }
    for (const StopRequest& request : intent.stops)
        text += fmt::format("  {}: {}{}\n", drain_text(*request.drain), fmt::join(request.servers, " "),
                            request.drain->deadline ? ", deadline" : "");
    for (const auto& [name, rollback] : intent.rollbacks)
        text += fmt::format("  {}: {}\n", name, rollback_text(rollback));
    for (const auto& [name, request] : intent.resets)
        text += fmt::format("  {}: {}, {}\n", name, request_text(request), request.directory);
    return text;
}

std::string describe(const Plan& plan) {
    std::string text;
    for (ActionIndex index = 0; index < plan.actions.size(); ++index) {
        const Action& action = plan.actions[index];
        text += fmt::format("  {}: {} {} after [{}]: {}\n", index, to_string(action.verb),
                            to_string(action.subject), fmt::join(action.after, " "), action.reason);
    }
    return text.empty() ? "  (empty)\n" : text;
}

}  // namespace left4me::test
