#include "adapters/store/status_file.hpp"

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adapters/store/clock.hpp"
#include "adapters/store/state_files.hpp"

namespace left4me {

namespace {

using nlohmann::json;

constexpr const char* file_name = "status.json";
// While much happens and nothing of it is news, the host is looked at many times a second.
constexpr std::chrono::seconds look_is_news{10};

ConditionStatus to_status(const std::string& text) {
    if (text == "True") return ConditionStatus::True;
    return text == "False" ? ConditionStatus::False : ConditionStatus::Unknown;
}

json to_json(const Condition& condition) {
    return {{"type", condition.type},
            {"status", to_string(condition.status)},
            {"reason", condition.reason},
            {"message", condition.message},
            {"lastTransitionTime", time_to_json(condition.last_transition)},
            {"observedGeneration", condition.observed_generation}};
}

Condition to_condition(const json& object) {
    Condition condition;
    condition.type = object.at("type").get<std::string>();
    condition.status = to_status(object.at("status").get<std::string>());
    condition.reason = object.at("reason").get<std::string>();
    condition.message = object.at("message").get<std::string>();
    condition.last_transition =
        time_from_json(object.at("lastTransitionTime").get<std::string>()).value_or(TimePoint{});
    condition.observed_generation = object.at("observedGeneration").get<std::int64_t>();
    return condition;
}

json to_json(const Backoff& backoff) {
    json object = {{"failures", backoff.failures}, {"crashed", backoff.crashed}, {"pending", backoff.pending},
                   {"reason", backoff.reason},     {"message", backoff.message}, {"asked", backoff.asked}};
    if (backoff.failed_at) object["failedAt"] = time_to_json(*backoff.failed_at);
    if (backoff.retry_at) object["retryAt"] = time_to_json(*backoff.retry_at);
    return object;
}

Backoff to_backoff(const json& object) {
    Backoff backoff;
    backoff.failures = object.at("failures").get<unsigned>();
    backoff.crashed = object.at("crashed").get<bool>();
    backoff.pending = object.at("pending").get<bool>();
    backoff.reason = object.at("reason").get<std::string>();
    backoff.message = object.at("message").get<std::string>();
    backoff.asked = object.at("asked").get<std::string>();
    if (object.contains("failedAt"))
        backoff.failed_at = time_from_json(object["failedAt"].get<std::string>());
    if (object.contains("retryAt")) backoff.retry_at = time_from_json(object["retryAt"].get<std::string>());
    return backoff;
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
    if (!server.remembered.awaits_approval.empty())
        object["awaitsApproval"] = server.remembered.awaits_approval;
    if (!server.remembered.set_aside.empty()) object["setAside"] = server.remembered.set_aside;
    if (server.remembered.backoff.failures > 0) object["backoff"] = to_json(server.remembered.backoff);
    return object;
}

ServerStatus to_server(const json& object) {
    ServerStatus server;
    server.generation = object.at("generation").get<std::int64_t>();
    server.specification = object.at("specification").get<std::string>();
    server.remembered.fingerprint = object.at("fingerprint").get<std::string>();
    if (object.contains("heldSince"))
        server.remembered.held_since = time_from_json(object["heldSince"].get<std::string>());
    server.remembered.awaits_approval = object.value("awaitsApproval", std::string());
    server.remembered.set_aside = object.value("setAside", std::string());
    if (object.contains("backoff")) server.remembered.backoff = to_backoff(object["backoff"]);
    server.last_attempted_revision = object.at("lastAttemptedRevision").get<std::string>();
    server.last_applied_revision = object.at("lastAppliedRevision").get<std::string>();
    for (const json& condition : object.at("conditions"))
        server.conditions.push_back(to_condition(condition));
    return server;
}

Status to_whole(const json& object) {
    Status status;
    status.last_attempted_revision = object.at("lastAttemptedRevision").get<std::string>();
    status.last_applied_revision = object.at("lastAppliedRevision").get<std::string>();
    status.source_error = object.at("sourceError").get<std::string>();
    if (object.contains("lastPass")) status.last_pass = time_from_json(object["lastPass"].get<std::string>());
    for (const auto& [name, server] : object.at("servers").items()) status.servers[name] = to_server(server);
    if (object.contains("overlays")) {
        for (const auto& [name, backoff] : object["overlays"].items())
            status.overlays[name] = to_backoff(backoff);
    }
    return status;
}

json to_json(const ClockMark& mark) {
    return {{"wall", time_to_json(mark.wall)}, {"sinceBoot", mark.since_boot.count()}, {"boot", mark.boot}};
}

ClockMark to_clock_mark(const json& object) {
    return {time_from_json(object.at("wall").get<std::string>()).value_or(TimePoint{}),
            std::chrono::microseconds(object.at("sinceBoot").get<std::int64_t>()),
            object.at("boot").get<std::string>()};
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
    if (status.last_pass) object["lastPass"] = time_to_json(*status.last_pass);
    object["clock"] = to_json(read_clock());
    // Messages quote what programs and files said, which need not be UTF-8.
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
