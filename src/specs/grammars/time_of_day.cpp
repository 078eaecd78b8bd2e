#include "specs/grammars/time_of_day.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace left4me {

std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text) {
    if (text.size() != 5 || text[2] != ':') return std::nullopt;
    const auto number = [text](std::size_t at) -> std::optional<int> {
        const std::string_view digits = text.substr(at, 2);
        if (!std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
            return std::nullopt;
        return (digits[0] - '0') * 10 + (digits[1] - '0');
    };
    const auto hour = number(0);
    const auto minute = number(3);
    if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
    return std::chrono::hours(*hour) + std::chrono::minutes(*minute);
}

std::string time_of_day_text(std::chrono::minutes since_midnight) {
    return fmt::format("{:02}:{:02}", since_midnight.count() / 60, since_midnight.count() % 60);
}

std::optional<std::pair<std::chrono::minutes, std::chrono::minutes>> parse_window(std::string_view text) {
    const std::size_t dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto from = parse_time_of_day(text.substr(0, dash));
    const auto until = parse_time_of_day(text.substr(dash + 1));
    if (!from || !until || *from == *until) return std::nullopt;
    return std::pair(*from, *until);
}

}  // namespace left4me
