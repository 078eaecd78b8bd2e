#include "specs/grammars/percentage.hpp"

#include "specs/grammars/integer.hpp"

namespace left4me {

std::optional<unsigned> parse_percentage(std::string_view text) {
    if (!text.ends_with('%')) return std::nullopt;
    const auto value = parse_integer(text.substr(0, text.size() - 1));
    if (!value || *value > 100) return std::nullopt;
    return static_cast<unsigned>(*value);
}

}  // namespace left4me
