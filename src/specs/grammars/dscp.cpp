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
    {{"cs0", 0},   {"le", 1},    {"cs1", 8},   {"af11", 10}, {"af12", 12}, {"af13", 14},
     {"cs2", 16},  {"af21", 18}, {"af22", 20}, {"af23", 22}, {"cs3", 24},  {"af31", 26},
     {"af32", 28}, {"af33", 30}, {"cs4", 32},  {"af41", 34}, {"af42", 36}, {"af43", 38},
     {"cs5", 40},  {"va", 44},   {"ef", 46},   {"cs6", 48},  {"cs7", 56}}};

}  // namespace

std::optional<std::int64_t> parse_dscp(std::string_view text) {
    const auto* const named = std::find_if(code_points.begin(), code_points.end(),
                                           [text](const CodePoint& one) { return one.name == text; });
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
