#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "adapters/paths.hpp"
#include "adapters/rcon/stats.hpp"

namespace left4me::rcon {

/// What the console of one game said about its tick when it was last asked.
struct KeptTick {
    std::string rendering;               ///< as KeptAnswer::rendering
    std::int64_t start = 0;              ///< of the game: another one has another start
    std::chrono::milliseconds asked{};   ///< CLOCK_BOOTTIME
    std::optional<GameStats> said = {};  ///< nullopt: it did not answer

    bool operator==(const KeptTick&) const = default;
};

/// One file a server, on a tmpfs, so that the daemon, the timer and l4d2ctl know the same.
std::expected<void, std::string> keep_tick(const Paths& paths, const std::string& server,
                                           const KeptTick& tick);
/// nullopt: there is none, or it cannot be read.
std::optional<KeptTick> kept_tick(const Paths& paths, const std::string& server);

}  // namespace left4me::rcon
