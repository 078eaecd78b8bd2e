#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <set>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/cvars.hpp"

namespace left4me::rcon {

/// What the console of one game said about cvars when it was last asked.
struct KeptCvars {
    std::string rendering;                   ///< as KeptAnswer::rendering
    std::int64_t start = 0;                  ///< of the game: another one has another start
    std::chrono::milliseconds asked{};       ///< CLOCK_BOOTTIME
    std::set<std::string> names;             ///< that it was asked for
    std::optional<ObservedCvars> said = {};  ///< nullopt: it did not answer

    bool operator==(const KeptCvars&) const = default;
};

/// One file a server, on a tmpfs, so that the daemon, the timer and l4d2ctl know the same.
std::expected<void, std::string> keep_cvars(const Paths& paths, const std::string& server,
                                            const KeptCvars& cvars);
/// nullopt: there is none, or it cannot be read.
std::optional<KeptCvars> kept_cvars(const Paths& paths, const std::string& server);

}  // namespace left4me::rcon
