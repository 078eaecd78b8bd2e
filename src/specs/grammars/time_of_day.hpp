#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace left4me {

inline constexpr std::string_view time_of_day_form = "hour and minute, each with two digits";
inline constexpr std::string_view time_of_day_examples = "04:00";

/// `00:00` to `23:59`, as minutes since midnight; of which day and time zone is the reader's business.
std::optional<std::chrono::minutes> parse_time_of_day(std::string_view text);

/// `06:00`; parse_time_of_day() reads it.
std::string time_of_day_text(std::chrono::minutes since_midnight);

inline constexpr std::string_view window_form = "two different times of day with '-' between them";
inline constexpr std::string_view window_examples = "04:00-08:00 or 23:00-06:00";

/// `04:00-08:00`: its two ends.
std::optional<std::pair<std::chrono::minutes, std::chrono::minutes>> parse_window(std::string_view text);

}  // namespace left4me
