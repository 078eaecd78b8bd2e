#include "adapters/store/requests.hpp"

#include "adapters/store/state_json.hpp"
#include "specs/grammars/duration.hpp"
#include "specs/grammars/time_of_day.hpp"

namespace left4me {

namespace {

using nlohmann::json;

constexpr const char* restarts_file = "restarts.json";
constexpr const char* resets_file = "resets.json";
constexpr const char* stops_file = "stops.json";

TimePoint time_of(const json& object) {
    return time_from_json(object.at("at").get<std::string>()).value_or(TimePoint{});
}

json to_json(const RestartRequest& request) {
    return {{"by", request.by},
            {"at", time_to_json(request.at)},
            {"whenEmpty", request.when_empty},
            {"staggered", request.staggered},
            {"servers", request.invocations}};
}

RestartRequest to_restart(const json& object) {
    return {.by = object.at("by").get<std::string>(),
            .at = time_of(object),
            .when_empty = object.at("whenEmpty").get<bool>(),
            .staggered = object.at("staggered").get<bool>(),
            .invocations = object.at("servers").get<std::map<std::string, std::string>>()};
}

json to_json(const ResetRequest& request) {
    return {{"by", request.by},
            {"at", time_to_json(request.at)},
            {"reason", request.reason},
            {"directory", request.directory}};
}

ResetRequest to_reset(const json& object) {
    return {.by = object.at("by").get<std::string>(),
            .at = time_of(object),
            .reason = object.at("reason").get<std::string>(),
            .directory = object.at("directory").get<std::string>()};
}

json to_json(const Drain& drain) {
    json object = {{"by", drain.by}, {"at", time_to_json(drain.at)}, {"begun", drain.begun}};
    if (drain.deadline) object["deadline"] = duration_text(*drain.deadline);
    if (drain.deadline_at) object["deadline"] = time_of_day_text(*drain.deadline_at);
    if (!drain.message.empty()) object["message"] = drain.message;
    return object;
}

Drain to_drain(const json& object) {
    Drain drain{.by = object.at("by").get<std::string>(), .at = time_of(object)};
    drain.begun = object.at("begun").get<bool>();
    const auto deadline = object.value("deadline", std::string());
    drain.deadline = parse_duration(deadline);
    drain.deadline_at = parse_time_of_day(deadline);
    if (auto message = object.value("message", std::string()); is_message(message))
        drain.message = std::move(message);
    return drain;
}

json to_json(const StopRequest& request) {
    json object = {{"servers", request.servers}, {"removes", request.removes}, {"waits", request.waits}};
    if (request.drain) object["drain"] = to_json(*request.drain);
    return object;
}

StopRequest to_stop(const json& object) {
    StopRequest request{.servers = object.at("servers").get<std::set<std::string>>(),
                        .removes = object.at("removes").get<bool>(),
                        .waits = object.at("waits").get<bool>()};
    if (object.contains("drain")) request.drain = to_drain(object.at("drain"));
    return request;
}

/// Saves `open(requests)` if that differs from `requests`. True: it did.
template <typename Requests, typename Open, typename Save>
std::expected<bool, std::string> drop_finished(const std::expected<Requests, std::string>& requests,
                                               const Open& open, const Save& save) {
    if (!requests) return std::unexpected(requests.error());
    const Requests left = open(*requests);
    if (left == *requests) return false;
    if (auto saved = save(left); !saved) return std::unexpected(saved.error());
    return true;
}

/// A file that is an array of requests. `remedy`: as load_state_json()'s.
template <typename Request>
std::expected<std::vector<Request>, std::string> load_array(const Paths& paths, const char* name,
                                                            Request (*read)(const json&),
                                                            const char* remedy = "") {
    return load_state_json<std::vector<Request>>(
        paths, name,
        [read](const json& array) {
            std::vector<Request> requests;
            for (const json& object : array) requests.push_back(read(object));
            return requests;
        },
        remedy);
}

template <typename Request>
std::expected<void, std::string> save_array(const Paths& paths, const char* name,
                                            const std::vector<Request>& requests) {
    json array = json::array();
    for (const Request& request : requests) array.push_back(to_json(request));
    return save_state_json(paths, name, array);
}

}  // namespace

std::expected<RestartRequests, std::string> load_restart_requests(const Paths& paths) {
    return load_array(paths, restarts_file, to_restart);
}

std::expected<void, std::string> save_restart_requests(const Paths& paths, const RestartRequests& requests) {
    return save_array(paths, restarts_file, requests);
}

std::expected<ResetRequests, std::string> load_reset_requests(const Paths& paths) {
    return load_state_json<ResetRequests>(paths, resets_file, [](const json& servers) {
        ResetRequests requests;
        for (const auto& [server, request] : servers.items()) requests.emplace(server, to_reset(request));
        return requests;
    });
}

std::expected<void, std::string> save_reset_requests(const Paths& paths, const ResetRequests& requests) {
    json servers = json::object();
    for (const auto& [server, request] : requests) servers[server] = to_json(request);
    return save_state_json(paths, resets_file, servers);
}

std::expected<StopRequests, std::string> load_stop_requests(const Paths& paths) {
    return load_array(paths, stops_file, to_stop, "\n  l4d2ctl stop SERVER writes a new one");
}

std::expected<void, std::string> save_stop_requests(const Paths& paths, const StopRequests& requests) {
    return save_array(paths, stops_file, requests);
}

std::expected<bool, std::string> drop_finished_requests(const Paths& paths, const Target& target,
                                                        const Observed& observed, const Plan& difference) {
    const auto restarts = drop_finished(
        load_restart_requests(paths),
        [&](const auto& requests) { return open_requests(requests, target, observed); },
        [&](const auto& open) { return save_restart_requests(paths, open); });
    const auto resets = drop_finished(
        load_reset_requests(paths),
        [&](const auto& requests) { return open_requests(requests, target, observed); },
        [&](const auto& open) { return save_reset_requests(paths, open); });
    const auto stops = drop_finished(
        load_stop_requests(paths),
        [&](const auto& requests) { return open_requests(requests, target, observed, difference); },
        [&](const auto& open) { return save_stop_requests(paths, open); });
    if (!restarts) return restarts;
    if (!resets) return resets;
    if (!stops) return stops;
    return *restarts || *resets || *stops;
}

}  // namespace left4me
