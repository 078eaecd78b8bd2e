#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <set>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/players.hpp"

namespace left4me::rcon {

/// What the console of one game said when it was last asked who is on the server. Times are of
/// CLOCK_BOOTTIME, which nobody can set.
struct KeptAnswer {
    std::uint64_t inode = 0;  ///< of the socket that the game listened on: another game has another one
    std::string rendering;    ///< the one whose password was used, `instances/NAME/DIGEST`
    std::chrono::milliseconds asked{};
    ObservedConsole::State state = ObservedConsole::State::Silent;
    unsigned humans = 0;
    bool is_reserved = false;

    bool operator==(const KeptAnswer&) const = default;
};

/// One file a server, on a tmpfs, so that the daemon, the timer and l4d2ctl know the same, and so that none
/// of them tries a wrong password that another one has tried.
std::expected<void, std::string> keep_answer(const Paths& paths, const std::string& server,
                                             const KeptAnswer& answer);
/// Of which servers there is one.
std::set<std::string> servers_with_answers(const Paths& paths);
/// nullopt: there is none, or it cannot be read.
std::optional<KeptAnswer> kept_answer(const Paths& paths, const std::string& server);

}  // namespace left4me::rcon
