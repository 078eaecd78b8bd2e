#pragma once

#include <optional>
#include <string_view>

namespace left4me::rcon {

/// How a game runs, as the command `stats` says.
struct GameStats {
    double rate = 0;       ///< frames per second, of the latest frame
    unsigned players = 0;  ///< bots are counted; of an empty game, which hibernates, the rate says nothing

    bool operator==(const GameStats&) const = default;
};

/// A line of headings, "CPU    In_(KB/s)  Out_(KB/s)  Uptime  Map_changes  FPS      Players  Connects", and
/// one with their values, "0.00   0.00       0.00        8       0            30.02    0        0". Other
/// games have other columns; those that are wanted are found by their names. nullopt: the text has no such
/// lines, has them twice, or a value is no plain number.
std::optional<GameStats> parse_stats(std::string_view text);

}  // namespace left4me::rcon
