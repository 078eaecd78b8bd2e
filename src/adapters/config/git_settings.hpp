#pragma once

#include "adapters/config/config.hpp"
#include "adapters/config/reader.hpp"

namespace left4me {

/// source.git.
void read_git_settings(Reader& reader, const YAML::Node& node, Config& config);

}  // namespace left4me
