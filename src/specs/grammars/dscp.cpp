#include "specs/grammars/dscp.hpp"

#include <algorithm>
#include <array>

#include "specs/grammars/integer.hpp"

namespace left4me {

namespace {

struct CodePoint {
    std::string_view name;
    std::uint64_t value = 0;
};
constexpr std::array<CodePoint, 23> code_points{
    {{"CS0", 0},   {"LE", 1},    {"CS1", 8},   {"AF11", 10}, {"AF12", 12}, {"AF13", 14},
     {"CS2", 16},  {"AF21", 18}, {"AF22", 20}, {"AF23", 22}, {"CS3", 24},  {"AF31", 26},
     {"AF32", 28}, {"AF33", 30}, {"CS4", 32},  {"AF41", 34}, {"AF42", 36}, {"AF43", 38},
     {"CS5", 40},  {"VA", 44},   {"EF", 46},   {"CS6", 48},  {"CS7", 56}}};

}  // namespace

std::optional<std::int64_t> parse_dscp(std::string_view text) {
    std::string upper(text);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    const auto* const named = std::find_if(code_points.begin(), code_points.end(),
                                           [&upper](const CodePoint& one) { return one.name == upper; });
    if (named != code_points.end()) return static_cast<std::int64_t>(named->value);
    const auto number = parse_integer(text);
    return number ? std::optional(static_cast<std::int64_t>(*number)) : std::nullopt;
}

std::string dscp_text(std::string_view number) {
    const auto value = parse_integer(number);
    const auto* const named = std::find_if(code_points.begin(), code_points.end(),
                                           [&value](const CodePoint& one) { return one.value == value; });
    return std::string(named == code_points.end() ? number : named->name);
}

}  // namespace left4me
