#include "adapters/a2s/answer.hpp"

#include <algorithm>

#include "adapters/a2s/split.hpp"

namespace left4me::a2s {
namespace {

constexpr std::string_view challenge_header = "\xFF\xFF\xFF\xFF\x41";

std::optional<Challenge> parse_challenge(std::string_view bytes) {
    Challenge challenge{};
    if (bytes.size() != challenge.size()) return std::nullopt;
    std::copy(bytes.begin(), bytes.end(), challenge.begin());
    return challenge;
}

}  // namespace

std::optional<Answer> parse_answer(std::string_view bytes) {
    if (bytes.size() > largest_answer) return std::nullopt;
    if (bytes.starts_with(info_header)) return parse_info(bytes.substr(info_header.size()));
    if (bytes.starts_with(players_header)) return parse_players(bytes.substr(players_header.size()));
    if (bytes.starts_with(challenge_header)) return parse_challenge(bytes.substr(challenge_header.size()));
    return std::nullopt;
}

std::string encode(const Challenge& challenge) {
    return std::string(challenge_header) + std::string(challenge.data(), challenge.size());
}

}  // namespace left4me::a2s
