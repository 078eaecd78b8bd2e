#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace left4me {

inline constexpr std::string_view time_of_day_form = "hour and minute, each with two digits";
inline constexpr std::string_view time_of_day_examples = "04:00";

/// `00:00` to `23:59`, as minutes since midnight; of which day and time zone is the reader's business.
std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text);

}  // namespace left4me
