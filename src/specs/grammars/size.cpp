#include "specs/grammars/size.hpp"

#include <fmt/format.h>

#include <array>
#include <limits>

#include "specs/grammars/integer.hpp"

namespace left4me {
namespace {

/// The unit at index i is 1024^(i+1) bytes.
constexpr std::array<std::string_view, 5> units{"Ki", "Mi", "Gi", "Ti", "Pi"};

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
    unsigned shift = 0;
    for (std::size_t i = 0; i < units.size(); ++i) {
        if (!text.ends_with(units.at(i))) continue;
        text.remove_suffix(units.at(i).size());
        shift = 10 * (static_cast<unsigned>(i) + 1);
        break;
    }
    const auto count = parse_integer(text);
    if (!count || *count > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
    return *count << shift;
}

std::string size_text(std::uint64_t bytes) {
    for (std::size_t i = units.size(); i > 0; --i) {
        const std::uint64_t unit = std::uint64_t{1} << (10 * i);
        if (bytes != 0 && bytes % unit == 0) return fmt::format("{}{}", bytes / unit, units.at(i - 1));
    }
    return fmt::format("{}", bytes);
}

}  // namespace left4me
