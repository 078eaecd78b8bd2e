#include "adapters/rcon/stats.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "adapters/lines.hpp"
#include "adapters/rcon/words.hpp"

namespace left4me::rcon {
namespace {

constexpr std::size_t most_columns = 16;
constexpr double highest_rate = 1e6;  // the engine's clock ticks that often
constexpr unsigned most_players = 255;

template <typename Number>
std::optional<Number> number(std::string_view word, Number most) {
    Number value{};
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    // The negation is for what is no number at all.
    if (error != std::errc{} || end != word.data() + word.size() || !(value >= 0 && value <= most))
        return std::nullopt;
    return value;
}

std::optional<GameStats> parse_row(std::string_view headings, std::string_view values) {
    const auto names = words_of(headings);
    const auto words = words_of(values);
    if (names.size() > most_columns || names.size() != words.size()) return std::nullopt;
    const auto value_of = [&](std::string_view name) {
        const auto found = std::find(names.begin(), names.end(), name);
        return found == names.end() ? std::string_view()
                                    : words[static_cast<std::size_t>(found - names.begin())];
    };
    const auto rate = number(value_of("FPS"), highest_rate);
    const auto players = number(value_of("Players"), most_players);
    if (!rate || !players) return std::nullopt;
    return GameStats{.rate = *rate, .players = *players};
}

}  // namespace

std::optional<GameStats> parse_stats(std::string_view text) {
    const auto lines = lines_of(text);
    const auto is_heading = [](std::string_view line) { return line.starts_with("CPU "); };
    const auto heading = std::find_if(lines.begin(), lines.end(), is_heading);
    if (heading == lines.end() || heading + 1 == lines.end()) return std::nullopt;
    if (std::any_of(heading + 1, lines.end(), is_heading)) return std::nullopt;
    return parse_row(*heading, *(heading + 1));
}

}  // namespace left4me::rcon
