#pragma once

#include <nlohmann/json.hpp>

namespace left4me::store {

/// The value of a key; `otherwise` if it is missing or has another type. Other versions write other keys.
template <typename Value>
Value read_field(const nlohmann::json& object, const char* key, Value otherwise = {}) {
    const auto found = object.find(key);
    if (found == object.end()) return otherwise;
    try {
        return found->get<Value>();
    } catch (const nlohmann::json::exception&) {
        return otherwise;
    }
}

}  // namespace left4me::store
