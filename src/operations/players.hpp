#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "adapters/probes/lists.hpp"
#include "operations/json.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

/// Why nobody knows how many players there are on any server; empty: left4me-probe publishes what it hears.
std::string probe_trouble(const Context& context);

/// Whom the game of a server lists, and how long ago it was asked; nullopt: it does not run, or does not list
/// anybody. The game may list fewer than play, or anybody at all.
struct PlayerList {
    std::vector<probes::PublishedPlayer> players;
    std::chrono::milliseconds age{};
};
using PlayerLists = std::map<std::string, PlayerList>;
PlayerLists player_lists(const Context& context, const View& view, const std::vector<std::string>& names);

/// `servers` with `name` and the members of game_json(), and the sum `players` of those that answer. With
/// `lists`, the output of `players -o json`: each server also has its `list`.
Json players_json(const View& view, const std::vector<std::string>& names,
                  const PlayerLists* lists = nullptr);

}  // namespace left4me::operations
