#include "specs/grammars/share.hpp"

#include <algorithm>

#include "specs/grammars/integer.hpp"
#include "specs/grammars/percentage.hpp"

namespace left4me {

std::size_t Share::of(std::size_t servers) const {
    return std::max<std::size_t>(1, is_percentage ? servers * value / 100 : value);
}

std::optional<Share> parse_share(std::string_view text) {
    if (const auto percentage = parse_percentage(text)) {
        if (*percentage == 0) return std::nullopt;
        return Share{*percentage, true};
    }
    const auto number = parse_integer(text);
    if (!number || *number == 0 || *number > 9999) return std::nullopt;
    return Share{static_cast<unsigned>(*number), false};
}

}  // namespace left4me
