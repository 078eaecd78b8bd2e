#include "adapters/store/pins.hpp"

#include "adapters/store/state_json.hpp"

namespace left4me {

namespace {

using nlohmann::json;

constexpr const char* file_name = "pins.json";

Pin to_pin(const json& object) {
    return {.artifact = object.at("artifact").get<std::string>(),
            .by = object.at("by").get<std::string>(),
            .at = time_from_json(object.at("at").get<std::string>()).value_or(TimePoint{}),
            .reason = object.at("reason").get<std::string>()};
}

}  // namespace

std::expected<Pins, std::string> load_pins(const Paths& paths) {
    return load_state_json<Pins>(
        paths, file_name,
        [](const json& overlays) {
            Pins pins;
            for (const auto& [overlay, pin] : overlays.items()) pins.emplace(overlay, to_pin(pin));
            return pins;
        },
        "\n  if it is removed, every overlay follows its source again; l4d2ctl rollback overlay/NAME DIGEST "
        "pins it anew");
}

std::expected<void, std::string> save_pins(const Paths& paths, const Pins& pins) {
    json overlays = json::object();
    for (const auto& [overlay, pin] : pins) {
        overlays[overlay] = {
            {"artifact", pin.artifact}, {"by", pin.by}, {"at", time_to_json(pin.at)}, {"reason", pin.reason}};
    }
    return save_state_json(paths, file_name, overlays);
}

}  // namespace left4me
