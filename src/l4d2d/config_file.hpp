#pragma once

#include <expected>
#include <string>

#include "adapters/config/config.hpp"

namespace left4me {

/// The configuration; one that is missing in the default place means the defaults. Errors name file, line and
/// column.
std::expected<Config, std::string> read_config_file(const std::string& path);

}  // namespace left4me
