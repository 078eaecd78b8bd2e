#pragma once

#include <cstddef>
#include <expected>
#include <filesystem>
#include <string>

#include "specs/diagnostic.hpp"
#include "specs/load.hpp"

namespace left4me {

/// /etc/left4me/config.yaml: every setting is optional, a missing file means the defaults.
struct Config {
    std::filesystem::path source_directory = "/etc/left4me/manifests";
    Limits limits;
};

inline constexpr const char* config_file = "/etc/left4me/config.yaml";

/// Strict: an unknown key, a wrong type or a value out of range is an error with its place.
std::expected<Config, Diagnostics> parse_config(const std::string& name, const std::string& text);

}  // namespace left4me
