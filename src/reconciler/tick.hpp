#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "reconciler/time.hpp"

namespace left4me {

struct DesiredServer;
struct ObservedServer;

/// What the console of a game said about its tick (the command `stats`).
struct ObservedTick {
    double rate = 0;  ///< frames per second
    unsigned players =
        0;  ///< as the game counts them; of an empty game, which hibernates, the rate says nothing
    std::chrono::milliseconds asked{};  ///< CLOCK_BOOTTIME: each reading has another one
    std::chrono::milliseconds age{};    ///< since then

    bool operator==(const ObservedTick&) const = default;
};

/// How often a game is asked while people play on it: two times in the shortest `health.degraded.for`.
inline constexpr std::chrono::milliseconds tick_pause{30'000};

/// How well a game has kept up its tick since it was started.
struct TickMemory {
    std::optional<TimePoint> start = {};  ///< of the game: ObservedUnit::active_since
    std::chrono::milliseconds read{};     ///< ObservedTick::asked of the latest reading that counts
    /// For how much longer it was too slow than not, lately: from zero to `health.degraded.for`.
    std::chrono::milliseconds slow{};
    std::chrono::milliseconds kept_up{};  ///< for how long it was not too slow
    std::optional<bool> is_slow = {};     ///< nullopt: it is not known yet
    /// When `is_slow` became true; nullopt: it is not, or an earlier version saw it.
    std::optional<TimePoint> slow_since = {};
    unsigned in_vain = 0;  ///< so many restarts in a row have not helped

    bool operator==(const TickMemory&) const = default;
};

/// The frames per second that a game should run with: `-tickrate` in the text of its server.env, or 30.
unsigned tickrate_in(std::string_view environment);
/// Of the running game; of one that does not run, as the manifest says.
unsigned tickrate_of(const DesiredServer& desired, const ObservedServer& server);

/// What is remembered after the server was seen like this. Each reading counts once, for as long as the pause
/// between two, and only while people play.
TickMemory next_tick(const TickMemory& before, const DesiredServer& desired, const ObservedServer& server,
                     TimePoint now);

/// Whether the running game keeps up its tick; nullopt: it is not known.
std::optional<bool> keeps_up(const TickMemory& memory, const ObservedServer& server);
/// "the game runs with less than 80% of its 30 frames per second".
std::string slow_text(const DesiredServer& desired, const ObservedServer& server);
/// When a game that is too slow may be restarted for it: the longer since its start, the more restarts have
/// not helped.
TimePoint restart_due(const TickMemory& memory);

}  // namespace left4me
