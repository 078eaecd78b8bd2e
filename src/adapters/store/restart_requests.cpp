#include "adapters/store/restart_requests.hpp"

#include <nlohmann/json.hpp>

#include "adapters/store/state_files.hpp"

namespace left4me {

namespace {

using nlohmann::json;

constexpr const char* file_name = "restarts.json";

json to_json(const RestartRequest& request) {
    return {{"by", request.by},
            {"at", time_to_json(request.at)},
            {"whenEmpty", request.when_empty},
            {"staggered", request.staggered},
            {"servers", request.invocations}};
}

RestartRequest to_request(const json& object) {
    return {.by = object.at("by").get<std::string>(),
            .at = time_from_json(object.at("at").get<std::string>()).value_or(TimePoint{}),
            .when_empty = object.at("whenEmpty").get<bool>(),
            .staggered = object.at("staggered").get<bool>(),
            .invocations = object.at("servers").get<std::map<std::string, std::string>>()};
}

}  // namespace

std::expected<RestartRequests, std::string> load_restart_requests(const Paths& paths) {
    const auto text = read_state_file(paths, file_name);
    if (!text) return std::unexpected(text.error());
    if (!*text) return RestartRequests{};
    try {
        RestartRequests requests;
        for (const json& object : json::parse(**text)) requests.push_back(to_request(object));
        return requests;
    } catch (const json::exception& exception) {
        return std::unexpected((paths.status() / file_name).string() + " is damaged: " + exception.what());
    }
}

std::expected<void, std::string> save_restart_requests(const Paths& paths, const RestartRequests& requests) {
    json array = json::array();
    for (const RestartRequest& request : requests) array.push_back(to_json(request));
    return replace_state_file(paths, file_name,
                              array.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace left4me
