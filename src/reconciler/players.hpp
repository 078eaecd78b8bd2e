#pragma once

#include <chrono>
#include <string>

namespace left4me {

/// What a game answered when it was last asked.
struct ObservedPlayers {
    /// Those who are connecting are counted. A lobby that has reserved the server, and from which nobody has
    /// arrived yet, is not: A2S_INFO does not tell of it.
    unsigned count = 0;
    unsigned max = 0;
    std::string map;  ///< the game chose it
    /// Since the question was sent; the answer is younger.
    std::chrono::milliseconds age{};

    bool operator==(const ObservedPlayers&) const = default;
};

/// An older answer does not show that a server is empty.
inline constexpr std::chrono::seconds max_age_of_empty{5};

inline bool shows_empty(const ObservedPlayers& players) {
    return players.count == 0 && players.age <= max_age_of_empty;
}

}  // namespace left4me
