#pragma once

#include <expected>
#include <optional>
#include <string>

#include "adapters/config/config.hpp"

namespace left4me {

/// The bytes of the configuration, unparsed, for a program that is root but must not parse as root. nullopt:
/// there is no file at the default path, which means the defaults.
using ConfigText = std::expected<std::optional<std::string>, std::string>;

/// The required owner of the file. Root: owned by root and writable by nobody else.
enum class ConfigOwner { Anybody, Root };
ConfigText read_config_text(const std::string& path, ConfigOwner owner = ConfigOwner::Anybody);
/// Errors name file, line and column.
std::expected<Config, std::string> parse_config_text(const std::string& path,
                                                     const std::optional<std::string>& text);

/// Both at once.
std::expected<Config, std::string> read_config(const std::string& path);

}  // namespace left4me
