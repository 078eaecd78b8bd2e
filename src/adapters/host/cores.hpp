#pragma once

#include <vector>

#include "adapters/paths.hpp"
#include "specs/cpus.hpp"

namespace left4me {

/// The processors of the host that are online, those of one core together; empty if the kernel does not tell.
std::vector<Cpus> read_cores(const Paths& paths);

}  // namespace left4me
