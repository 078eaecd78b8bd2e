#pragma once

#include <string>
#include <vector>

#include "operations/json.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

/// Why nobody knows how many players there are on any server; empty: left4me-probe publishes what it hears.
std::string probe_trouble(const Context& context);

/// The output of `players -o json`: `servers` with `name` and the members of game_json(), and the sum
/// `players` of those that answer.
Json players_json(const View& view, const std::vector<std::string>& names);

}  // namespace left4me::operations
