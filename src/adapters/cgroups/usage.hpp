#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "adapters/paths.hpp"

namespace left4me::cgroups {

/// What a server's processes use, as the kernel counts it for the control group of their unit:
/// docs.kernel.org/admin-guide/cgroup-v2.html
struct Usage {
    /// Of all cores together, since the unit has started: usage_usec of cpu.stat.
    std::optional<std::chrono::microseconds> cpu;
    /// memory.current: what was read from maps and is still cached counts, too. nullopt: the kernel or the
    /// container does not count memory.
    std::optional<std::uint64_t> memory_bytes;
};

/// `unit`: of a server, with its suffix. Empty if it does not run. Needs no privilege.
Usage read_usage(const Paths& paths, const std::string& unit);

}  // namespace left4me::cgroups
