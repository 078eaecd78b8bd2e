#pragma once

#include <algorithm>
#include <chrono>
#include <vector>

#include "adapters/readiness.hpp"
#include "adapters/since_boot.hpp"

namespace left4me::rcon {

/// What all exchanges that are under way wait for. `rounds`: by server.
template <typename Rounds>
std::vector<Readiness> readiness_of(const Rounds& rounds) {
    std::vector<Readiness> all;
    for (const auto& [server, round] : rounds) all.push_back(round.exchange.readiness());
    return all;
}

/// The same, and when the next game of `watched`, by server, is to be asked.
template <typename Rounds, typename Watched>
std::vector<Readiness> readiness_of(const Rounds& rounds, const Watched& watched) {
    using std::chrono::milliseconds;
    std::vector<Readiness> all = readiness_of(rounds);
    milliseconds due = milliseconds::max();
    for (const auto& [server, one] : watched) {
        if (!rounds.contains(server)) due = std::min(due, one.due);
    }
    if (due == milliseconds::max()) return all;
    Readiness next;
    next.timeout = std::max(due - since_boot(), milliseconds(0));
    all.push_back(next);
    return all;
}

}  // namespace left4me::rcon
