#include "operations/players.hpp"

#include <utility>

#include "adapters/probes/published.hpp"
#include "adapters/since_boot.hpp"
#include "operations/server_view.hpp"

namespace left4me::operations {
namespace {

Json list_json(const PlayerList& list) {
    Json players = Json::array();
    for (const probes::PublishedPlayer& player : list.players) {
        players.push_back({{"name", player.name},
                           {"score", player.score},
                           {"seconds", static_cast<std::int64_t>(player.seconds)}});
    }
    return players;
}

}  // namespace

std::string probe_trouble(const Context& context) {
    const auto answers = probes::read_known(context.paths);
    return answers ? std::string() : answers.error();
}

PlayerLists player_lists(const Context& context, const View& view, const std::vector<std::string>& names) {
    auto lists = probes::read_lists(context.paths);
    const auto now = since_boot();
    PlayerLists by_server;
    if (!lists) return by_server;  // probe_trouble() says why
    for (const std::string& name : names) {
        const auto port = players_of(view, name) == nullptr ? std::nullopt : port_in_use(view, name);
        const auto found = port ? lists->find(*port) : lists->end();
        if (found == lists->end() || found->second.asked > now) continue;
        by_server.emplace(name, PlayerList{found->second.players, now - found->second.asked});
    }
    return by_server;
}

Json players_json(const View& view, const std::vector<std::string>& names, const PlayerLists* lists) {
    Json servers = Json::array();
    unsigned sum = 0;
    for (const std::string& name : names) {
        Json server{{"name", name}};
        server.update(game_json(view, name));
        if (lists != nullptr) {
            const auto found = lists->find(name);
            server["list"] = found == lists->end() ? Json() : list_json(found->second);
        }
        servers.push_back(std::move(server));
        if (const ObservedPlayers* const players = players_of(view, name)) sum += players->count;
    }
    Json json;
    json["players"] = sum;
    json["servers"] = std::move(servers);
    return json;
}

}  // namespace left4me::operations
