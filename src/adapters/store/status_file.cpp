#include "adapters/store/status_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>

#include "adapters/fd.hpp"
#include "adapters/store/files.hpp"

namespace left4me {

namespace {

using nlohmann::json;

/// RFC 3339, in UTC, always with six digits: `2026-01-31T12:00:00.000000Z`.
std::string to_text(TimePoint time) {
    const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
    const std::time_t clock = std::chrono::system_clock::to_time_t(seconds);
    std::tm parts{};
    ::gmtime_r(&clock, &parts);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                       parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, (time - seconds).count());
}

std::optional<TimePoint> to_time(const std::string& text) {
    constexpr std::string_view form = "0000-00-00T00:00:00.000000Z";
    if (text.size() != form.size()) return std::nullopt;
    const auto number = [&text](std::size_t at, std::size_t digits) {
        int value = -1;
        std::from_chars(text.data() + at, text.data() + at + digits, value);
        return value;
    };
    std::tm parts{};
    parts.tm_year = number(0, 4) - 1900;
    parts.tm_mon = number(5, 2) - 1;
    parts.tm_mday = number(8, 2);
    parts.tm_hour = number(11, 2);
    parts.tm_min = number(14, 2);
    parts.tm_sec = number(17, 2);
    const std::time_t seconds = ::timegm(&parts);
    return TimePoint(std::chrono::seconds(seconds)) + std::chrono::microseconds(number(20, 6));
}

ConditionStatus to_status(const std::string& text) {
    if (text == "True") return ConditionStatus::True;
    return text == "False" ? ConditionStatus::False : ConditionStatus::Unknown;
}

json to_json(const Condition& condition) {
    return {{"type", condition.type},
            {"status", to_string(condition.status)},
            {"reason", condition.reason},
            {"message", condition.message},
            {"lastTransitionTime", to_text(condition.last_transition)},
            {"observedGeneration", condition.observed_generation}};
}

Condition to_condition(const json& object) {
    Condition condition;
    condition.type = object.at("type").get<std::string>();
    condition.status = to_status(object.at("status").get<std::string>());
    condition.reason = object.at("reason").get<std::string>();
    condition.message = object.at("message").get<std::string>();
    condition.last_transition =
        to_time(object.at("lastTransitionTime").get<std::string>()).value_or(TimePoint{});
    condition.observed_generation = object.at("observedGeneration").get<std::int64_t>();
    return condition;
}

json to_json(const Backoff& backoff) {
    json object = {{"failures", backoff.failures},
                   {"crashed", backoff.crashed},
                   {"pending", backoff.pending},
                   {"reason", backoff.reason},
                   {"message", backoff.message},
                   {"asked", backoff.asked}};
    if (backoff.failed_at) object["failedAt"] = to_text(*backoff.failed_at);
    if (backoff.retry_at) object["retryAt"] = to_text(*backoff.retry_at);
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
    if (object.contains("failedAt")) backoff.failed_at = to_time(object["failedAt"].get<std::string>());
    if (object.contains("retryAt")) backoff.retry_at = to_time(object["retryAt"].get<std::string>());
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
    if (server.remembered.held_since) object["heldSince"] = to_text(*server.remembered.held_since);
    if (!server.remembered.awaits_approval.empty())
        object["awaitsApproval"] = server.remembered.awaits_approval;
    if (server.remembered.backoff.failures > 0) object["backoff"] = to_json(server.remembered.backoff);
    return object;
}

ServerStatus to_server(const json& object) {
    ServerStatus server;
    server.generation = object.at("generation").get<std::int64_t>();
    server.specification = object.at("specification").get<std::string>();
    server.remembered.fingerprint = object.at("fingerprint").get<std::string>();
    if (object.contains("heldSince"))
        server.remembered.held_since = to_time(object["heldSince"].get<std::string>());
    server.remembered.awaits_approval = object.value("awaitsApproval", std::string());
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
    if (object.contains("lastPass")) status.last_pass = to_time(object["lastPass"].get<std::string>());
    for (const auto& [name, server] : object.at("servers").items()) status.servers[name] = to_server(server);
    if (object.contains("overlays")) {
        for (const auto& [name, backoff] : object["overlays"].items())
            status.overlays[name] = to_backoff(backoff);
    }
    return status;
}

}  // namespace

Status load_status(const Paths& paths) {
    std::ifstream stream(paths.status() / "status.json");
    if (!stream) return {};
    try {
        return to_whole(json::parse(stream));
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
    if (status.last_pass) object["lastPass"] = to_text(*status.last_pass);
    // Messages quote what programs and files said, which need not be UTF-8.
    const std::string text = object.dump(1, ' ', false, json::error_handler_t::replace) + "\n";

    const std::string shown = (paths.status() / "status.json").string();
    const Fd directory(::open(paths.status().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory) return store::io_error(paths.status().string());
    constexpr const char* fresh = ".status.json";
    const Fd file(
        ::openat(directory.get(), fresh, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644));
    if (!file) return store::io_error(shown);
    if (auto wrote = store::write_all(file.get(), text, shown); !wrote) return wrote;
    if (::renameat(directory.get(), fresh, directory.get(), "status.json") != 0)
        return store::io_error(shown);
    return {};
}

}  // namespace left4me
