#include "specs/grammars/duration.hpp"

#include <fmt/format.h>

#include <array>

#include "specs/grammars/integer.hpp"

namespace left4me {
namespace {

struct Unit {
    char letter = 's';
    std::chrono::seconds length{1};
};

constexpr std::array units{Unit{'d', std::chrono::days(1)}, Unit{'h', std::chrono::hours(1)},
                           Unit{'m', std::chrono::minutes(1)}, Unit{'s', std::chrono::seconds(1)}};

}  // namespace

std::optional<std::chrono::seconds> parse_duration(std::string_view text) {
    if (text.empty()) return std::nullopt;
    const auto count = parse_integer(text.substr(0, text.size() - 1));
    if (!count || *count == 0) return std::nullopt;
    for (const Unit& unit : units) {
        if (unit.letter != text.back()) continue;
        if (*count > static_cast<std::uint64_t>(max_duration / unit.length)) return std::nullopt;
        return static_cast<std::int64_t>(*count) * unit.length;
    }
    return std::nullopt;
}

std::string duration_text(std::chrono::seconds duration) {
    for (const Unit& unit : units) {
        if (duration % unit.length == std::chrono::seconds(0))
            return fmt::format("{}{}", duration / unit.length, unit.letter);
    }
    return "";
}

}  // namespace left4me
