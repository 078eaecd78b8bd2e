#include "adapters/store/suspensions.hpp"

#include <nlohmann/json.hpp>

#include "adapters/store/state_files.hpp"

namespace left4me {

namespace {

using nlohmann::json;

constexpr const char* file_name = "suspensions.json";

json to_json(const Suspension& suspension) {
    json object = {{"reason", suspension.reason}, {"by", suspension.by}};
    object["since"] = suspension.since ? json(time_to_json(*suspension.since)) : json(nullptr);
    object["until"] = suspension.until ? json(time_to_json(*suspension.until)) : json(nullptr);
    return object;
}

std::optional<TimePoint> to_time(const json& value) {
    return value.is_null() ? std::nullopt : time_from_json(value.get<std::string>());
}

Suspension to_suspension(const json& object) {
    return {object.at("reason").get<std::string>(), object.at("by").get<std::string>(),
            to_time(object.at("since")), to_time(object.at("until"))};
}

}  // namespace

std::expected<Suspensions, std::string> load_suspensions(const Paths& paths) {
    const auto text = read_state_file(paths, file_name);
    if (!text) return std::unexpected(text.error());
    if (!*text) return Suspensions{};
    try {
        const json object = json::parse(**text);
        Suspensions suspensions;
        if (!object.at("all").is_null()) suspensions.all = to_suspension(object.at("all"));
        for (const auto& [name, server] : object.at("servers").items())
            suspensions.servers.emplace(name, to_suspension(server));
        return suspensions;
    } catch (const json::exception& exception) {
        return std::unexpected((paths.status() / file_name).string() + " is damaged: " + exception.what() +
                               "\n  l4d2ctl resume --all writes a new one");
    }
}

std::expected<void, std::string> save_suspensions(const Paths& paths, const Suspensions& suspensions) {
    json servers = json::object();
    for (const auto& [name, suspension] : suspensions.servers) servers[name] = to_json(suspension);
    const json object = {{"all", suspensions.all ? to_json(*suspensions.all) : json(nullptr)},
                         {"servers", std::move(servers)}};
    return replace_state_file(paths, file_name,
                              object.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

}  // namespace left4me
