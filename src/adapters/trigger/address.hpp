#pragma once

#include <sys/un.h>

#include <optional>

#include "adapters/paths.hpp"

namespace left4me {

/// Of the daemon's socket. nullopt: the path does not fit, unix(7).
std::optional<sockaddr_un> trigger_address(const Paths& paths);

}  // namespace left4me
