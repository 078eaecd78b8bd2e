#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "specs/pins.hpp"

namespace left4me::store {

/// `{"git": {"commit": …}}`, `{"workshop": {"items": {ID: {"updated", "size", "sha256"}}}}` or `{"mapIndex":
/// {"maps": {NAME: {"size", "md5"}}}}`: as in the lock file.
nlohmann::json to_json(const Pin& pin);
/// nullopt: it is none.
std::optional<Pin> to_pin(const nlohmann::json& object);

}  // namespace left4me::store
