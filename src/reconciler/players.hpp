#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace left4me {

/// What a game answered when it was last asked.
struct ObservedPlayers {
    /// Those who are connecting are counted. A lobby that has reserved the server, and from which nobody has
    /// arrived yet, is not: A2S_INFO does not tell of it, ObservedConsole does.
    unsigned count = 0;
    unsigned max = 0;
    std::string map;  ///< the game chose it
    /// Since the question was sent; the answer is younger.
    std::chrono::milliseconds age{};
    std::chrono::milliseconds took{};  ///< from the question to the answer

    bool operator==(const ObservedPlayers&) const = default;
};

/// What left4me-probe has seen of the socket on which a game takes queries.
struct ObservedSocket {
    bool has_answered = false;  ///< since it is open
    /// Since the last question that was answered; if there is none, since it was opened. Never longer than
    /// the probe has watched it without a pause.
    std::chrono::milliseconds silent{};
    /// For how long the kernel has kept what the game was sent, without the game's reading any of it;
    /// nullopt: it reads.
    std::optional<std::chrono::milliseconds> unread = {};

    bool operator==(const ObservedSocket&) const = default;
};

/// An older answer does not show that a server is empty.
inline constexpr std::chrono::seconds max_age_of_empty{5};

/// `most`: as many may be there.
inline bool shows_empty(const ObservedPlayers& players, unsigned most = 0) {
    return players.count <= most && players.age <= max_age_of_empty;
}

/// What the console of a game (RCON) said when it was last asked who is on the server. It is asked only when
/// that matters: before something that may be done only while nobody plays.
struct ObservedConsole {
    enum class State {
        Answered,
        Silent,   ///< no answer, or not one that tells clearly
        Refused,  ///< it does not accept the password; it is not asked again
    };
    State state = State::Silent;
    unsigned humans = 0;       ///< those who are connecting are counted
    bool is_reserved = false;  ///< by a lobby, whose players are on their way
    std::chrono::milliseconds age{};

    bool operator==(const ObservedConsole&) const = default;
};

/// An answer that does not come counts as one that says so.
inline bool shows_occupied(const ObservedConsole& console, unsigned most = 0) {
    return console.state != ObservedConsole::State::Answered || console.humans > most || console.is_reserved;
}

/// True if they differ only in when it was asked.
inline bool says_the_same(const ObservedConsole& one, const ObservedConsole& other) {
    return one.state == other.state && one.humans == other.humans && one.is_reserved == other.is_reserved;
}

/// Why a server counts as occupied according to its console, as the rest of "waits until empty: ".
std::string occupied_text(const ObservedConsole& console);
/// "1 player", "3 players".
std::string count_text(unsigned count);

}  // namespace left4me
