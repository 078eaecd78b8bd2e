#include "adapters/store/status_file.hpp"

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adapters/store/build_files.hpp"
#include "adapters/store/clock.hpp"
#include "adapters/store/json_field.hpp"
#include "adapters/store/state_files.hpp"

namespace left4me {

namespace {

using nlohmann::json;
using store::read_field;

constexpr const char* file_name = "status.json";
// In busy times the host is observed many times a second, without any news.
constexpr std::chrono::seconds look_is_news{10};

ConditionStatus to_status(const std::string& text) {
    if (text == "True") return ConditionStatus::True;
    return text == "False" ? ConditionStatus::False : ConditionStatus::Unknown;
}

json to_json(const Condition& condition) {
    return {{"type", condition.type},
            {"status", to_string(condition.status)},
            {"reason", to_string(condition.reason)},
            {"message", condition.message},
            {"lastTransitionTime", time_to_json(condition.last_transition)},
            {"observedGeneration", condition.observed_generation}};
}

std::optional<TimePoint> read_time(const json& object, const char* key) {
    const auto text = read_field<std::string>(object, key);
    return text.empty() ? std::nullopt : time_from_json(text);
}

/// The object or array of a key; empty if it is missing or has another type.
const json& part(const json& object, const char* key, json::value_t type) {
    static const json no_object = json::object();
    static const json no_array = json::array();
    const json& otherwise = type == json::value_t::array ? no_array : no_object;
    if (!object.is_object()) return otherwise;
    const auto found = object.find(key);
    return found == object.end() || found->type() != type ? otherwise : *found;
}

Condition to_condition(const json& object) {
    Condition condition;
    condition.type = read_field<std::string>(object, "type");
    condition.status = to_status(read_field<std::string>(object, "status"));
    condition.reason = parse_condition_reason(read_field<std::string>(object, "reason"));
    condition.message = read_field<std::string>(object, "message");
    condition.last_transition = read_time(object, "lastTransitionTime").value_or(TimePoint{});
    condition.observed_generation = read_field<std::int64_t>(object, "observedGeneration");
    return condition;
}

json to_json(const Backoff& backoff) {
    json object = {{"failures", backoff.failures}, {"crashed", backoff.crashed},
                   {"pending", backoff.pending},   {"reason", to_string(backoff.reason)},
                   {"message", backoff.message},   {"asked", backoff.spec_hash}};
    if (backoff.verb) object["verb"] = to_string(*backoff.verb);
    if (backoff.failed_at) object["failedAt"] = time_to_json(*backoff.failed_at);
    if (backoff.retry_at) object["retryAt"] = time_to_json(*backoff.retry_at);
    if (backoff.corrected_at) object["correctedAt"] = time_to_json(*backoff.corrected_at);
    return object;
}

Backoff to_backoff(const json& object) {
    Backoff backoff;
    backoff.failures = read_field<unsigned>(object, "failures");
    backoff.crashed = read_field<bool>(object, "crashed");
    backoff.pending = read_field<bool>(object, "pending");
    backoff.reason = parse_failure(read_field<std::string>(object, "reason")).value_or(FailureKind::Unknown);
    backoff.message = read_field<std::string>(object, "message");
    backoff.spec_hash = read_field<std::string>(object, "asked");
    backoff.verb = parse_verb(read_field<std::string>(object, "verb"));
    backoff.failed_at = read_time(object, "failedAt");
    backoff.retry_at = read_time(object, "retryAt");
    backoff.corrected_at = read_time(object, "correctedAt");
    return backoff;
}

json to_json(const Crashes& crashes) {
    json object = {{"inARow", crashes.in_a_row},
                   {"latest", crashes.latest},
                   {"asked", crashes.spec_hash},
                   {"restarts", crashes.restarts}};
    if (crashes.last_at) object["lastAt"] = time_to_json(*crashes.last_at);
    if (crashes.active_since) object["activeSince"] = time_to_json(*crashes.active_since);
    return object;
}

Crashes to_crashes(const json& object) {
    Crashes crashes;
    crashes.in_a_row = read_field<unsigned>(object, "inARow");
    crashes.latest = read_field<unsigned>(object, "latest");
    crashes.spec_hash = read_field<std::string>(object, "asked");
    crashes.restarts = read_field<unsigned>(object, "restarts");
    crashes.last_at = read_time(object, "lastAt");
    crashes.active_since = read_time(object, "activeSince");
    return crashes;
}

json to_json(const Trial& trial) {
    json object = {{"rendering", trial.rendering}};
    if (trial.healthy) object["healthySince"] = time_to_json(*trial.healthy);
    if (!trial.failure.empty()) {
        object["failure"] = trial.failure;
        object["failed"] = trial.failed;
        if (trial.failed_at) object["failedAt"] = time_to_json(*trial.failed_at);
    }
    if (!trial.fallback.empty()) object["fallback"] = trial.fallback;
    return object;
}

Trial to_trial(const json& object) {
    Trial trial{.rendering = read_field<std::string>(object, "rendering"),
                .healthy = read_time(object, "healthySince"),
                .failure = read_field<std::string>(object, "failure"),
                .failed = read_field<std::string>(object, "failed"),
                .failed_at = read_time(object, "failedAt"),
                .fallback = read_field<std::string>(object, "fallback")};
    // An earlier version left it out: it was always this one.
    if (!trial.failure.empty() && trial.failed.empty()) trial.failed = trial.rendering;
    return trial;
}

json to_json(const TickMemory& tick) {
    json object = {{"read", tick.read.count()},
                   {"slow", tick.slow.count()},
                   {"keptUp", tick.kept_up.count()},
                   {"inVain", tick.in_vain}};
    if (tick.start) object["start"] = time_to_json(*tick.start);
    if (tick.is_slow) object["isSlow"] = *tick.is_slow;
    if (tick.slow_since) object["slowSince"] = time_to_json(*tick.slow_since);
    return object;
}

TickMemory to_tick(const json& object) {
    const auto duration = [&object](const char* key) {
        return std::chrono::milliseconds(read_field<std::int64_t>(object, key));
    };
    TickMemory tick{.start = read_time(object, "start"),
                    .read = duration("read"),
                    .slow = duration("slow"),
                    .kept_up = duration("keptUp"),
                    .in_vain = read_field<unsigned>(object, "inVain")};
    if (object.contains("isSlow")) tick.is_slow = read_field<bool>(object, "isSlow");
    tick.slow_since = read_time(object, "slowSince");
    return tick;
}

json to_json(const ServerStatus& server) {
    json conditions = json::array();
    for (const Condition& condition : server.conditions) conditions.push_back(to_json(condition));
    json object = {{"generation", server.generation},
                   {"specification", server.specification},
                   {"fingerprint", server.remembered.fingerprint},
                   {"lastAttemptedRevision", server.last_attempted_revision},
                   {"lastAppliedRevision", server.last_applied_revision},
                   {"conditions", std::move(conditions)}};
    if (server.remembered.held_since) object["heldSince"] = time_to_json(*server.remembered.held_since);
    if (server.remembered.draining_since)
        object["drainingSince"] = time_to_json(*server.remembered.draining_since);
    if (server.remembered.warned) object["warned"] = time_to_json(*server.remembered.warned);
    for (const auto& [entry, from] : server.remembered.schedule)
        object["schedule"][entry] = time_to_json(from);
    for (const auto& [name, tried] : server.remembered.cvars)
        object["cvars"][name] = {{"value", tried.value}, {"at", time_to_json(tried.at)}};
    if (!server.remembered.awaits_approval.empty())
        object["awaitsApproval"] = server.remembered.awaits_approval;
    if (server.remembered.awaits_removal) object["awaitsRemoval"] = true;
    if (!server.remembered.set_aside.empty()) object["setAside"] = server.remembered.set_aside;
    if (server.remembered.backoff.failures > 0) object["backoff"] = to_json(server.remembered.backoff);
    if (server.remembered.crashes != Crashes{}) object["crashes"] = to_json(server.remembered.crashes);
    if (server.remembered.trial != Trial{}) object["trial"] = to_json(server.remembered.trial);
    if (server.remembered.tick != TickMemory{}) object["tick"] = to_json(server.remembered.tick);
    return object;
}

ServerStatus to_server(const json& object) {
    ServerStatus server;
    server.generation = read_field<std::int64_t>(object, "generation");
    server.specification = read_field<std::string>(object, "specification");
    server.remembered.fingerprint = read_field<std::string>(object, "fingerprint");
    server.remembered.held_since = read_time(object, "heldSince");
    server.remembered.draining_since = read_time(object, "drainingSince");
    server.remembered.warned = read_time(object, "warned");
    const json& schedule = part(object, "schedule", json::value_t::object);
    for (const auto& [entry, from] : schedule.items()) {
        if (const auto time = read_time(schedule, entry.c_str())) server.remembered.schedule[entry] = *time;
    }
    for (const auto& [name, tried] : part(object, "cvars", json::value_t::object).items()) {
        if (const auto at = read_time(tried, "at"))
            server.remembered.cvars[name] = {read_field<std::string>(tried, "value"), *at};
    }
    server.remembered.awaits_approval = read_field<std::string>(object, "awaitsApproval");
    server.remembered.awaits_removal = read_field<bool>(object, "awaitsRemoval");
    server.remembered.set_aside = read_field<std::string>(object, "setAside");
    server.remembered.backoff = to_backoff(part(object, "backoff", json::value_t::object));
    server.remembered.crashes = to_crashes(part(object, "crashes", json::value_t::object));
    server.remembered.trial = to_trial(part(object, "trial", json::value_t::object));
    server.remembered.tick = to_tick(part(object, "tick", json::value_t::object));
    server.last_attempted_revision = read_field<std::string>(object, "lastAttemptedRevision");
    server.last_applied_revision = read_field<std::string>(object, "lastAppliedRevision");
    for (const json& condition : part(object, "conditions", json::value_t::array))
        server.conditions.push_back(to_condition(condition));
    return server;
}

Status to_whole(const json& object) {
    Status status;
    status.last_attempted_revision = read_field<std::string>(object, "lastAttemptedRevision");
    status.last_applied_revision = read_field<std::string>(object, "lastAppliedRevision");
    status.source_error = read_field<std::string>(object, "sourceError");
    status.last_pass = read_time(object, "lastPass");
    const json& servers = part(object, "servers", json::value_t::object);
    for (const auto& [name, server] : servers.items()) status.servers[name] = to_server(server);
    const json& overlays = part(object, "overlays", json::value_t::object);
    for (const auto& [name, backoff] : overlays.items()) status.overlays[name] = to_backoff(backoff);
    const json& refreshes = part(object, "refreshes", json::value_t::object);
    for (const auto& [name, refreshed] : refreshes.items()) {
        if (const auto at = read_time(refreshed, "at"))
            status.refreshes[name] = {*at, to_backoff(part(refreshed, "backoff", json::value_t::object))};
    }
    const json& tuned = part(object, "tuned", json::value_t::object);
    status.tuned = {read_field<std::string>(tuned, "applied"),
                    to_backoff(part(tuned, "backoff", json::value_t::object))};
    const json& builds = part(object, "builds", json::value_t::object);
    for (const auto& [name, record] : builds.items()) status.builds[name] = store::to_build_record(record);
    return status;
}

json to_json(const ClockMark& mark) {
    return {{"wall", time_to_json(mark.wall)}, {"sinceBoot", mark.since_boot.count()}, {"boot", mark.boot}};
}

ClockMark to_clock_mark(const json& object) {
    return {read_time(object, "wall").value_or(TimePoint{}),
            std::chrono::microseconds(read_field<std::int64_t>(object, "sinceBoot")),
            read_field<std::string>(object, "boot")};
}

std::filesystem::path path_of(const Paths& paths) { return paths.status() / file_name; }

}  // namespace

Status load_status(const Paths& paths) {
    std::ifstream stream(path_of(paths));
    if (!stream) return {};
    try {
        const json object = json::parse(stream);
        Status status = to_whole(object);
        if (object.contains("clock"))
            move_times(status, jump_between(to_clock_mark(object["clock"]), read_clock()));
        return status;
    } catch (const json::exception&) {
        return {};  // every pass can do without it
    }
}

std::expected<void, std::string> save_status(const Paths& paths, const Status& status) {
    json servers = json::object();
    for (const auto& [name, server] : status.servers) servers[name] = to_json(server);
    json object = {{"lastAttemptedRevision", status.last_attempted_revision},
                   {"lastAppliedRevision", status.last_applied_revision},
                   {"sourceError", status.source_error},
                   {"servers", std::move(servers)}};
    for (const auto& [name, backoff] : status.overlays) object["overlays"][name] = to_json(backoff);
    for (const auto& [name, refreshed] : status.refreshes) {
        json& entry = object["refreshes"][name];
        entry["at"] = time_to_json(refreshed.at);
        if (refreshed.backoff.failures > 0) entry["backoff"] = to_json(refreshed.backoff);
    }
    if (status.tuned != Tuned{}) object["tuned"]["applied"] = status.tuned.applied;
    if (status.tuned.backoff.failures > 0) object["tuned"]["backoff"] = to_json(status.tuned.backoff);
    for (const auto& [name, record] : status.builds) object["builds"][name] = store::to_json(record);
    if (status.last_pass) object["lastPass"] = time_to_json(*status.last_pass);
    object["clock"] = to_json(read_clock());
    // Messages quote programs and files, and need not be UTF-8.
    const std::string text = object.dump(1, ' ', false, json::error_handler_t::replace) + "\n";

    return replace_state_file(paths, file_name, text);
}

StatusFile::Stamp StatusFile::stamp() const {
    struct stat status{};
    if (::stat(path_of(paths_).c_str(), &status) != 0) return {};
    return {status.st_ino, status.st_size,
            std::int64_t{status.st_ctim.tv_sec} * 1'000'000'000 + status.st_ctim.tv_nsec};
}

std::optional<Status> StatusFile::read_if_changed() {
    const Stamp now = stamp();
    if (now == seen_) return std::nullopt;
    seen_ = now;
    kept_ = load_status(paths_);
    return kept_;
}

std::expected<void, std::string> StatusFile::save(const Status& status) {
    const bool looked_again =
        status.last_pass &&
        (!kept_.last_pass || std::chrono::abs(*status.last_pass - *kept_.last_pass) >= look_is_news);
    if (!looked_again && says_the_same(status, kept_)) return {};
    if (auto saved = save_status(paths_, status); !saved) return saved;
    seen_ = stamp();
    kept_ = status;
    return {};
}

}  // namespace left4me
