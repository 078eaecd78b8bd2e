#include "adapters/a2s/players.hpp"

#include <algorithm>
#include <bit>

#include "adapters/a2s/reader.hpp"

namespace left4me::a2s {
namespace {

constexpr std::string_view question = "\xFF\xFF\xFF\xFF\x55";
/// The challenge of those who have none: the game answers with one.
constexpr std::string_view no_challenge = "\xFF\xFF\xFF\xFF";

void append(std::string& bytes, std::uint32_t value) {
    for (unsigned shift = 0; shift < 32; shift += 8) bytes += static_cast<char>((value >> shift) & 0xFFU);
}

}  // namespace

std::string players_question(const std::optional<Challenge>& challenge) {
    std::string datagram(question);
    return challenge ? datagram.append(challenge->data(), challenge->size()) : datagram.append(no_challenge);
}

std::optional<Players> parse_players(std::string_view bytes) {
    Reader reader(bytes);
    Players players;
    const unsigned said = reader.byte();
    while (reader.good() && !reader.at_end() && players.list.size() < said) {
        reader.byte();  // its index
        Player& player = players.list.emplace_back();
        player.name = reader.text();
        player.score = std::bit_cast<std::int32_t>(reader.long_word());
        player.seconds = std::bit_cast<float>(reader.long_word());
    }
    if (!reader.good()) return std::nullopt;
    players.count = std::max(said, static_cast<unsigned>(players.list.size()));
    return players;
}

std::string encode(const Players& players) {
    std::string datagram(players_header);
    datagram += static_cast<char>(players.count);
    for (const Player& player : players.list) {
        datagram += '\0';
        datagram += player.name + '\0';
        append(datagram, std::bit_cast<std::uint32_t>(player.score));
        append(datagram, std::bit_cast<std::uint32_t>(player.seconds));
    }
    return datagram;
}

}  // namespace left4me::a2s
