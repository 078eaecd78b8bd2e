#include "operations/players.hpp"

#include "adapters/probes/published.hpp"
#include "operations/server_view.hpp"

namespace left4me::operations {

std::string probe_trouble(const Context& context) {
    const auto answers = probes::read_known(context.paths);
    return answers ? std::string() : answers.error();
}

Json players_json(const View& view, const std::vector<std::string>& names) {
    Json servers = Json::array();
    unsigned sum = 0;
    for (const std::string& name : names) {
        Json server{{"name", name}};
        server.update(game_json(view, name));
        servers.push_back(std::move(server));
        if (const ObservedPlayers* const players = players_of(view, name)) sum += players->count;
    }
    Json json;
    json["players"] = sum;
    json["servers"] = std::move(servers);
    return json;
}

}  // namespace left4me::operations
