#pragma once

#include <string>

#include "reconciler/observed.hpp"
#include "reconciler/target.hpp"

namespace left4me {

/// Whether the game of an active unit answers queries.
enum class Response {
    Unknown,  ///< the unit is not active, or nobody watches the game
    Answers,
    NotYet,  ///< it was started only recently
    Silent,
};

/// A shorter silence is a lost datagram, or a map that is being loaded.
inline constexpr std::chrono::seconds silent_after{60};

Response response_of(const DesiredServer& desired, const ObservedServer& server, const Observed& observed);

/// What is to be done about a game that is Silent.
struct Silence {
    bool is_restarted = false;
    std::string why;  ///< it is restarted, or is not
};

/// The kernel is the witness: a game that hangs does not read what it is sent, and nobody can play on it. One
/// that reads may only be kept from answering (sv_max_queries_sec_global) by whoever floods it with queries,
/// and a restart would kick its players.
Silence judge_silence(const Health& health, const ObservedServer& server, const Target& target,
                      const Observed& observed);

}  // namespace left4me
