#include "specs/grammars/signed.hpp"

#include <limits>

#include "specs/grammars/integer.hpp"

namespace left4me {

std::optional<std::int64_t> parse_signed(std::string_view text) {
    const bool is_negative = text.starts_with('-');
    if (is_negative) text.remove_prefix(1);
    const auto number = parse_integer(text);
    if (!number || *number > std::uint64_t{std::numeric_limits<std::int64_t>::max()}) return std::nullopt;
    if (is_negative && *number == 0) return std::nullopt;
    const auto value = static_cast<std::int64_t>(*number);
    return is_negative ? -value : value;
}

}  // namespace left4me
