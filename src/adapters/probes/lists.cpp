#include "adapters/probes/lists.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "adapters/files.hpp"
#include "adapters/probes/published.hpp"

namespace left4me::probes {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr int version = 1;
/// Of max_published games that list max_listed players, with names of max_name_bytes.
constexpr std::size_t max_text = std::size_t{16} * 1024 * 1024;
constexpr float longest_seconds = 1e8F;

/// What is not UTF-8 is replaced when it is written.
std::string plain(std::string_view name) {
    std::string text(name.substr(0, max_name_bytes));
    const auto is_control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
    std::replace_if(text.begin(), text.end(), is_control, '?');
    return text;
}

json to_json(const PublishedList& list) {
    json players = json::array();
    for (std::size_t i = 0; i < std::min(list.players.size(), max_listed); ++i) {
        const PublishedPlayer& player = list.players[i];
        const float seconds =
            std::isfinite(player.seconds) ? std::clamp(player.seconds, 0.0F, longest_seconds) : 0.0F;
        players.push_back({{"name", plain(player.name)},
                           {"score", player.score},
                           {"seconds", static_cast<std::int64_t>(seconds)}});
    }
    return {{"address", list.address},
            {"port", list.port},
            {"asked", list.asked.count()},
            {"players", std::move(players)}};
}

PublishedList from_json(const json& object) {
    PublishedList list;
    list.address = object.at("address").get<std::string>();
    list.port = object.at("port").get<std::uint16_t>();
    list.asked = milliseconds(object.at("asked").get<std::int64_t>());
    for (const json& player : object.at("players")) {
        if (list.players.size() == max_listed) break;
        list.players.push_back({plain(player.at("name").get<std::string>()),
                                player.at("score").get<std::int32_t>(), player.at("seconds").get<float>()});
    }
    return list;
}

}  // namespace

std::filesystem::path lists_file(const Paths& paths) {
    return paths.probe_answers().parent_path() / "players.json";
}

std::string to_text(const std::vector<PublishedList>& all) {
    json servers = json::array();
    for (std::size_t i = 0; i < std::min(all.size(), max_published); ++i) servers.push_back(to_json(all[i]));
    const json document{{"version", version}, {"servers", std::move(servers)}};
    return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

std::expected<std::map<std::uint16_t, PublishedList>, std::string> read_lists(const Paths& paths) {
    const auto text = read_file(lists_file(paths), max_text);
    if (!text) return std::unexpected(text.error());
    try {
        std::map<std::uint16_t, PublishedList> by_port;
        const json document = json::parse(*text);
        for (const json& server : document.at("servers")) {
            PublishedList list = from_json(server);
            by_port.try_emplace(list.port, std::move(list));
        }
        return by_port;
    } catch (const std::exception&) {
        return std::unexpected(lists_file(paths).string() + ": it is not what left4me-probe writes");
    }
}

}  // namespace left4me::probes
