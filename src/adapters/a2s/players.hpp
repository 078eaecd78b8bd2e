#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/a2s/info.hpp"

namespace left4me::a2s {

struct Player {
    std::string name;  ///< any bytes but NUL; empty while he is connecting
    std::int32_t score = 0;
    float seconds = 0;  ///< since he came; anything that a float can be

    bool operator==(const Player&) const = default;
};

/// The answer to A2S_PLAYER.
struct Players {
    /// What the game says, or how many it lists, if that is more: it leaves out what does not fit.
    unsigned count = 0;
    std::vector<Player> list;  ///< without their indices, which can all be 0

    bool operator==(const Players&) const = default;
};

std::string players_question(const std::optional<Challenge>& challenge = {});

/// What follows the header. nullopt: it ends within a player.
std::optional<Players> parse_players(std::string_view bytes);

/// For tests.
std::string encode(const Players& players);

}  // namespace left4me::a2s
