#include "adapters/store/pin_json.hpp"

#include <string>

#include "adapters/store/json_field.hpp"
#include "specs/manifest.hpp"

namespace left4me::store {

namespace {

using nlohmann::json;

/// The object that is there under this name; nullptr if there is none.
const json* object_in(const json& object, const char* name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found != object.end() && found->is_object() ? &*found : nullptr;
}

}  // namespace

json to_json(const Pin& pin) {
    return std::visit(Overloaded{
                          [](const GitPin& git) -> json { return {{"git", {{"commit", git.commit}}}}; },
                          [](const WorkshopPin& workshop) -> json {
                              json items = json::object();
                              for (const auto& [id, item] : workshop.items) {
                                  items[id] = {{"updated", item.updated}, {"size", item.size}};
                                  if (!item.sha256.empty()) items[id]["sha256"] = item.sha256;
                              }
                              return {{"workshop", {{"items", std::move(items)}}}};
                          },
                          [](const MapIndexPin& index) -> json {
                              json maps = json::object();
                              for (const auto& [name, map] : index.maps)
                                  maps[name] = {{"size", map.size}, {"md5", map.md5}};
                              return {{"mapIndex", {{"maps", std::move(maps)}}}};
                          },
                          [](const SteamPin& steam) -> json { return {{"steam", {{"build", steam.build}}}}; },
                      },
                      pin);
}

std::optional<Pin> to_pin(const json& object) {
    if (const json* const git = object_in(object, "git"))
        return GitPin{read_field<std::string>(*git, "commit")};
    if (const json* const steam = object_in(object, "steam"))
        return SteamPin{read_field<std::string>(*steam, "build")};
    if (const json* const workshop = object_in(object, "workshop")) {
        WorkshopPin pin;
        const json* const items = object_in(*workshop, "items");
        if (items == nullptr) return std::nullopt;
        for (const auto& [id, item] : items->items()) {
            if (!item.is_object()) return std::nullopt;
            pin.items[id] = {read_field<std::uint64_t>(item, "updated"),
                             read_field<std::uint64_t>(item, "size"),
                             read_field<std::string>(item, "sha256")};
        }
        return pin;
    }
    if (const json* const index = object_in(object, "mapIndex")) {
        MapIndexPin pin;
        const json* const maps = object_in(*index, "maps");
        if (maps == nullptr) return std::nullopt;
        for (const auto& [name, map] : maps->items()) {
            if (!map.is_object()) return std::nullopt;
            pin.maps[name] = {read_field<std::uint64_t>(map, "size"), read_field<std::string>(map, "md5")};
        }
        return pin;
    }
    return std::nullopt;
}

}  // namespace left4me::store
