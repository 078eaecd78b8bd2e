#include "adapters/probes/published.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string_view>

#include "adapters/files.hpp"

namespace left4me::probes {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr int version = 1;
/// Of max_published entries, with room to spare.
constexpr std::size_t max_text = std::size_t{2} * 1024 * 1024;
constexpr unsigned max_players = 255;  // INFO has one byte for it

constexpr std::size_t max_map = 128;

/// A game may call its map anything.
std::string plain(std::string_view map) {
    std::string text(map.substr(0, max_map));
    std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

json to_json(const Published& one) {
    return {{"address", one.address},        {"port", one.port},
            {"asked", one.asked.count()},    {"players", one.players},
            {"maxPlayers", one.max_players}, {"map", plain(one.map)}};
}

template <typename Number>
Number number(const json& object, const char* key, Number least, Number most) {
    const auto value = object.at(key).get<std::int64_t>();
    if (value < static_cast<std::int64_t>(least) || value > static_cast<std::int64_t>(most))
        throw std::out_of_range(std::string(key) + " is out of range");
    return static_cast<Number>(value);
}

Published from_json(const json& object) {
    Published one;
    one.address = object.at("address").get<std::string>();
    one.port = number<std::uint16_t>(object, "port", 1, 65535);
    one.asked = milliseconds(object.at("asked").get<std::int64_t>());
    one.players = number(object, "players", 0U, max_players);
    one.max_players = number(object, "maxPlayers", 0U, max_players);
    one.map = object.at("map").get<std::string>();
    if (one.map.size() > max_map) throw std::out_of_range("map is too long");
    return one;
}

}  // namespace

std::string to_text(const std::vector<Published>& all) {
    json servers = json::array();
    for (std::size_t i = 0; i < std::min(all.size(), max_published); ++i) servers.push_back(to_json(all[i]));
    return json{{"version", version}, {"servers", std::move(servers)}}.dump() + "\n";
}

std::expected<std::vector<Published>, std::string> parse(const std::string& text) {
    try {
        const json document = json::parse(text);
        if (document.at("version").get<int>() != version)
            return std::unexpected("it is of another version of left4me-probe");
        const json& servers = document.at("servers");
        if (!servers.is_array()) return std::unexpected("its servers are no list");
        if (servers.size() > max_published) return std::unexpected("it has too many servers");
        std::vector<Published> all;
        for (const json& server : servers) all.push_back(from_json(server));
        return all;
    } catch (const std::exception&) {
        // Without the parser's words, which quote the text: the probe could have put another file there.
        return std::unexpected("it is not what left4me-probe writes");
    }
}

std::expected<AnswersByPort, std::string> read_answers(const Paths& paths) {
    const auto text = read_file(paths.probe_answers(), max_text);
    if (!text) return std::unexpected(text.error());
    auto all = parse(*text);
    if (!all) return std::unexpected(paths.probe_answers().string() + ": " + all.error());
    AnswersByPort by_port;
    for (Published& one : *all) {
        const auto [found, is_first] = by_port.try_emplace(one.port, one);
        if (is_first) continue;
        Published& merged = found->second;
        const auto asked = std::min(merged.asked, one.asked);
        if (one.players > merged.players) merged = std::move(one);
        merged.asked = asked;
    }
    return by_port;
}

ObservedPlayers observed(const Published& answer, milliseconds now) {
    const milliseconds age = answer.asked > now ? milliseconds::max() : now - answer.asked;
    return {.count = answer.players, .max = answer.max_players, .map = answer.map, .age = age};
}

}  // namespace left4me::probes
