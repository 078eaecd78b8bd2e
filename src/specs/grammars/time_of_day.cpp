#include "specs/grammars/time_of_day.hpp"

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

}  // namespace left4me
