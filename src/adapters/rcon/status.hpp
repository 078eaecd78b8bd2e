#pragma once

#include <optional>
#include <string_view>

namespace left4me::rcon {

/// Who is on a server, as the command `status` says.
struct GameStatus {
    unsigned humans = 0;      ///< those who are still connecting are counted
    unsigned connecting = 0;  ///< of these
    unsigned bots = 0;
    unsigned max = 0;
    bool is_hibernating = false;
    bool is_reserved = false;  ///< by a lobby, whose players are on their way

    bool operator==(const GameStatus&) const = default;
};

/// nullopt: the text does not say so, or not clearly: a line is missing, is there twice (somebody may say
/// such a line in the game), or is not as the game writes it. Names may contain anything but line breaks.
std::optional<GameStatus> parse_status(std::string_view text);

}  // namespace left4me::rcon
