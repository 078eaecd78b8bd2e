#include "adapters/store/rollbacks.hpp"

#include "adapters/store/state_json.hpp"

namespace left4me {

namespace {

using nlohmann::json;

constexpr const char* file_name = "rollbacks.json";

Rollback to_rollback(const json& object) {
    return {.artifact = object.at("artifact").get<std::string>(),
            .by = object.at("by").get<std::string>(),
            .at = time_from_json(object.at("at").get<std::string>()).value_or(TimePoint{}),
            .reason = object.at("reason").get<std::string>()};
}

}  // namespace

std::expected<Rollbacks, std::string> load_rollbacks(const Paths& paths) {
    return load_state_json<Rollbacks>(
        paths, file_name,
        [](const json& overlays) {
            Rollbacks rollbacks;
            for (const auto& [overlay, rollback] : overlays.items())
                rollbacks.emplace(overlay, to_rollback(rollback));
            return rollbacks;
        },
        "\n  if it is removed, every overlay follows its source again; l4d2ctl rollback overlay/NAME DIGEST "
        "rolls it back anew");
}

std::expected<void, std::string> save_rollbacks(const Paths& paths, const Rollbacks& rollbacks) {
    json overlays = json::object();
    for (const auto& [overlay, rollback] : rollbacks) {
        overlays[overlay] = {{"artifact", rollback.artifact},
                             {"by", rollback.by},
                             {"at", time_to_json(rollback.at)},
                             {"reason", rollback.reason}};
    }
    return save_state_json(paths, file_name, overlays);
}

}  // namespace left4me
