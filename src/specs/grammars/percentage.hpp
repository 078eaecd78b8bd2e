#pragma once

#include <optional>
#include <string_view>

namespace left4me {

inline constexpr std::string_view percentage_form = "a whole number from 0 to 100 and a '%'";
inline constexpr std::string_view percentage_examples = "25%";

/// `0%` to `100%`.
std::optional<unsigned> parse_percentage(std::string_view text);

}  // namespace left4me
