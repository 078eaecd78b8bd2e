#pragma once

#include <bitset>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace left4me {

inline constexpr std::string_view calendar_form =
    "a time of day, with days of the week in front of it if it is not every day";
inline constexpr std::string_view calendar_examples = "04:00, Mon 05:00 or Mon..Fri,Sun 05:00";

inline constexpr std::bitset<7> every_day{0x7F};

/// When something happens each week, by the host's local time; see LocalTime::next().
struct Calendar {
    std::bitset<7> days;  ///< Monday is 0; at least one
    std::chrono::minutes at{0};

    bool operator==(const Calendar&) const = default;
};

/// `04:00`, `Mon 05:00`, `Mon,Thu 05:00`, `Mon..Fri 05:00`: what systemd.time(7) calls a calendar event, as
/// far as it names weekdays and a time of day. Every text that is accepted here means the same to
/// OnCalendar=; dates, seconds and repetitions are refused. Days are written Mon, Tue, Wed, Thu, Fri, Sat,
/// Sun; a range goes forward from Monday to Sunday.
std::optional<Calendar> parse_calendar(std::string_view text);

/// `Mon..Wed,Fri 05:00`; parse_calendar() reads it.
std::string to_text(const Calendar& calendar);

}  // namespace left4me
