#pragma once

#include <memory>

#include "adapters/config/config.hpp"
#include "adapters/paths.hpp"
#include "adapters/source/source.hpp"

namespace left4me {

/// The source that the configuration names. Accesses nothing before its first call.
std::unique_ptr<Source> open_source(const Paths& paths, const Config& config);

}  // namespace left4me
