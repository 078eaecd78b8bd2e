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

/// As JSON. Written by hand: the probe writes all of it four times a second, and building objects for that
/// was half of what the probe cost.
std::string text_of(const Published& one) {
    return "{\"address\":" + json(one.address).dump() + ",\"port\":" + std::to_string(one.port) +
           ",\"asked\":" + std::to_string(one.asked.count()) + ",\"players\":" + std::to_string(one.players) +
           ",\"maxPlayers\":" + std::to_string(one.max_players) + ",\"map\":" + json(plain(one.map)).dump() +
           ",\"took\":" + std::to_string(one.took.count()) + "}";
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
    one.took = milliseconds(object.value("took", std::int64_t{0}));  // an earlier probe does not tell
    return one;
}

std::string text_of(const Socket& one) {
    std::string text =
        "{\"port\":" + std::to_string(one.port) + ",\"since\":" + std::to_string(one.since.count());
    if (one.unread) text += ",\"unread\":" + std::to_string(one.unread->count());
    return text + "}";
}

Socket socket_from_json(const json& object) {
    Socket one;
    one.port = number<std::uint16_t>(object, "port", 1, 65535);
    one.since = milliseconds(object.at("since").get<std::int64_t>());
    if (object.contains("unread")) one.unread = milliseconds(object.at("unread").get<std::int64_t>());
    return one;
}

template <typename Entry>
std::string list_of(const std::vector<Entry>& entries) {
    std::string list = "[";
    for (std::size_t i = 0; i < std::min(entries.size(), max_published); ++i)
        list += (i == 0 ? "" : ",") + text_of(entries[i]);
    return list + "]";
}

const json& list_in(const json& document, const char* key) {
    const json& list = document.at(key);
    if (!list.is_array() || list.size() > max_published) throw std::out_of_range("no such list");
    return list;
}

/// The probe looks for sockets every two seconds.
constexpr milliseconds late_after{10'000};

/// The largest, if it is in the future.
milliseconds age(milliseconds time, milliseconds now) {
    return time > now ? milliseconds::max() : now - time;
}

}  // namespace

std::string to_text(const Document& document) {
    return "{\"version\":" + std::to_string(version) +
           ",\"looked\":" + std::to_string(document.looked.count()) +
           ",\"servers\":" + list_of(document.answers) + ",\"sockets\":" + list_of(document.sockets) + "}\n";
}

std::expected<Document, std::string> parse(const std::string& text) {
    try {
        const json object = json::parse(text);
        if (object.at("version").get<int>() != version)
            return std::unexpected("it is of another version of left4me-probe");
        Document document;
        document.looked = milliseconds(object.at("looked").get<std::int64_t>());
        for (const json& server : list_in(object, "servers")) document.answers.push_back(from_json(server));
        for (const json& socket : list_in(object, "sockets"))
            document.sockets.push_back(socket_from_json(socket));
        return document;
    } catch (const std::exception&) {
        // Without the parser's words, which quote the text: the probe could have put another file there.
        return std::unexpected("it is not what left4me-probe writes");
    }
}

std::expected<Known, std::string> read_known(const Paths& paths) {
    const auto text = read_file(paths.probe_answers(), max_text);
    if (!text) return std::unexpected(text.error());
    auto document = parse(*text);
    if (!document) return std::unexpected(paths.probe_answers().string() + ": " + document.error());
    Known known;
    known.looked = document->looked;
    for (Published& one : document->answers) {
        const auto [found, is_first] = known.answers.try_emplace(one.port, one);
        if (is_first) continue;
        Published& merged = found->second;
        const auto asked = std::min(merged.asked, one.asked);
        if (one.players > merged.players) merged = std::move(one);
        merged.asked = asked;
    }
    for (const Socket& one : document->sockets) {
        const auto [found, is_first] = known.sockets.try_emplace(one.port, one);
        if (is_first) continue;
        Socket& merged = found->second;
        merged.since = std::max(merged.since, one.since);
        // One that reads wins.
        if (merged.unread) merged.unread = one.unread ? std::max(merged.unread, one.unread) : std::nullopt;
    }
    return known;
}

ObservedPlayers observed(const Published& answer, milliseconds now) {
    return {.count = answer.players,
            .max = answer.max_players,
            .map = answer.map,
            .age = age(answer.asked, now),
            .took = answer.took};
}

std::optional<ObservedSocket> observed_socket(const Known& known, std::uint16_t port, milliseconds now) {
    const auto socket = known.sockets.find(port);
    if (socket == known.sockets.end() || socket->second.since > now) return std::nullopt;
    const auto answer = known.answers.find(port);
    ObservedSocket seen;
    seen.has_answered = answer != known.answers.end();
    seen.silent = now - socket->second.since;
    if (seen.has_answered) seen.silent = std::min(seen.silent, age(answer->second.asked, now));
    if (socket->second.unread && *socket->second.unread <= now) seen.unread = now - *socket->second.unread;
    return seen;
}

bool is_at_work(const Known& known, milliseconds now) { return age(known.looked, now) <= late_after; }

}  // namespace left4me::probes
