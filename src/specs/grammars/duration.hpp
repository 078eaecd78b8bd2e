#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace left4me {

inline constexpr std::string_view duration_form = "a number and one of s, m, h, d";
inline constexpr std::string_view duration_examples = "90s, 30m, 12h or 2d";

/// The longest duration that is read: it can be added to the current time without overflow.
inline constexpr std::chrono::seconds max_duration = std::chrono::days(10'000);

/// `90s`, `30m`, `12h`, `2d`: a whole number of one unit, without a leading zero; at least one second.
std::optional<std::chrono::seconds> parse_duration(std::string_view text);

/// In the largest unit that leaves no remainder; parse_duration() reads it. `duration` is at least 1 s.
std::string duration_text(std::chrono::seconds duration);

}  // namespace left4me
