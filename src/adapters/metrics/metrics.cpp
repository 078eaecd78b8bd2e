#include "adapters/metrics/metrics.hpp"

#include <string_view>

namespace left4me {

namespace {

double seconds(TimePoint time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

const Condition* find(const Status& status, const std::string& server, const char* type) {
    const auto found = status.servers.find(server);
    return found == status.servers.end() ? nullptr : found->second.find(type);
}

bool is_true(const Condition* condition) {
    return condition != nullptr && condition->status == ConditionStatus::True;
}

void write_servers(const MetricsSnapshot& snapshot, Exposition& out) {
    const auto& servers = snapshot.desired.servers;
    out.family("left4me_server_ready", "gauge", "1: the server is as its manifest asks.");
    for (const auto& [name, server] : servers)
        out.sample({{"server", name}}, is_true(find(snapshot.status, name, "Ready")) ? 1 : 0);
    out.family("left4me_server_desired_running", "gauge", "1: the manifest says Running; 0: Stopped.");
    for (const auto& [name, server] : servers)
        out.sample({{"server", name}}, server.state == RunState::Running ? 1 : 0);
    out.family("left4me_server_stalled", "gauge",
               "1: the server needs help; the reason is that of its condition.");
    for (const auto& [name, server] : servers) {
        const Condition* const stalled = find(snapshot.status, name, "Stalled");
        if (is_true(stalled)) out.sample({{"server", name}, {"reason", to_string(stalled->reason)}}, 1);
    }
    out.family("left4me_server_failures", "gauge",
               "Failures in a row, each within ten minutes of the previous one.");
    for (const auto& [name, server] : servers) {
        const auto status = snapshot.status.servers.find(name);
        out.sample({{"server", name}},
                   status == snapshot.status.servers.end() ? 0 : status->second.remembered.backoff.failures);
    }
    out.family("left4me_suspended", "gauge", "1: a person suspended the server.");
    const TimePoint now = snapshot.status.last_pass.value_or(TimePoint{});
    for (const auto& [name, server] : servers) {
        out.sample({{"server", name}},
                   suspension_of(snapshot.intent.suspended, name, now) != nullptr ? 1 : 0);
    }
}

void write_players(const MetricsSnapshot& snapshot, Exposition& out) {
    out.family("left4me_server_players", "gauge",
               "Players, as the game said; no sample: it does not run, or does not answer.");
    for (const auto& [name, players] : snapshot.players) out.sample({{"server", name}}, players.count);
    out.family("left4me_server_players_max", "gauge", "How many it has room for.");
    for (const auto& [name, players] : snapshot.players) out.sample({{"server", name}}, players.max);
    out.family("left4me_server_query_seconds", "gauge",
               "From the latest answered query (A2S_INFO) to its answer.");
    for (const auto& [name, players] : snapshot.players)
        out.sample({{"server", name}}, std::chrono::duration<double>(players.took).count());
}

void write_ticks(const MetricsSnapshot& snapshot, Exposition& out) {
    out.family("left4me_server_frames_per_second", "gauge",
               "As the game's console said lately; no sample: nobody plays, or it cannot be asked.");
    for (const auto& [name, tick] : snapshot.ticks) out.sample({{"server", name}}, tick.rate);
    out.family("left4me_server_tick_healthy", "gauge",
               "0: the game runs more slowly than it should; no sample: not known since its start.");
    for (const auto& [name, server] : snapshot.desired.servers) {
        const Condition* const tick = find(snapshot.status, name, "TickHealthy");
        if (tick != nullptr && tick->status != ConditionStatus::Unknown)
            out.sample({{"server", name}}, is_true(tick) ? 1 : 0);
    }
}

void write_pass(const MetricsSnapshot& snapshot, Exposition& out) {
    out.family("left4me_servers", "gauge", "Servers that agree with the manifests, and those that differ.");
    out.sample({{"state", "agree"}}, static_cast<double>(snapshot.remaining.agreeing_servers));
    out.sample({{"state", "differ"}}, static_cast<double>(snapshot.remaining.differing_servers));
    out.family("left4me_source_info", "gauge", "Always 1; the labels show the followed revision.");
    out.sample({{"source", snapshot.source}, {"revision", snapshot.desired.revision}}, 1);
    out.family("left4me_source_ok", "gauge", "0: the source or its newest revision cannot be used.");
    out.sample({}, snapshot.status.source_error.empty() ? 1 : 0);
    out.family("left4me_revision_applied", "gauge", "1: the revision in force was applied as a whole.");
    out.sample({}, snapshot.status.last_applied_revision == snapshot.desired.revision ? 1 : 0);
    if (snapshot.status.last_pass) {
        out.family("left4me_last_pass_timestamp_seconds", "gauge", "When the last pass ended.");
        out.sample({}, seconds(*snapshot.status.last_pass));
    }
    if (snapshot.last_pass_took) {
        out.family("left4me_last_pass_duration_seconds", "gauge", "How long it took.");
        out.sample({}, snapshot.last_pass_took->count());
    }
}

}  // namespace

std::string metrics_text(const MetricsSnapshot& snapshot, const Counters* counters) {
    Exposition out;
    write_pass(snapshot, out);
    write_servers(snapshot, out);
    write_players(snapshot, out);
    write_ticks(snapshot, out);
    if (counters != nullptr) counters->write(out);
    return out.take();
}

}  // namespace left4me
