#include "specs/grammars/calendar.hpp"

#include <algorithm>
#include <array>

#include "specs/grammars/time_of_day.hpp"

namespace left4me {
namespace {

constexpr std::array<std::string_view, 7> days{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

std::optional<std::size_t> parse_day(std::string_view text) {
    const auto* const found = std::find(days.begin(), days.end(), text);
    if (found == days.end()) return std::nullopt;
    return static_cast<std::size_t>(found - days.begin());
}

/// `Mon` or `Mon..Fri`.
bool add_days(std::string_view text, std::bitset<7>& into) {
    const std::size_t dots = text.find("..");
    const auto first = parse_day(text.substr(0, dots));
    const auto last = dots == std::string_view::npos ? first : parse_day(text.substr(dots + 2));
    if (!first || !last || *first > *last) return false;
    for (std::size_t day = *first; day <= *last; ++day) into.set(day);
    return true;
}

}  // namespace

std::optional<Calendar> parse_calendar(std::string_view text) {
    Calendar calendar;
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) {
        calendar.days = every_day;
    } else {
        const std::string_view list = text.substr(0, blank);
        for (std::size_t begin = 0; begin <= list.size();) {
            const std::size_t end = std::min(list.find(',', begin), list.size());
            if (!add_days(list.substr(begin, end - begin), calendar.days)) return std::nullopt;
            begin = end + 1;
        }
    }
    const auto at = parse_time_of_day(text.substr(blank == std::string_view::npos ? 0 : blank + 1));
    if (!at) return std::nullopt;
    calendar.at = *at;
    return calendar;
}

std::string to_text(const Calendar& calendar) {
    std::string list;
    for (std::size_t first = 0; !calendar.days.all() && first < days.size(); ++first) {
        if (!calendar.days.test(first)) continue;
        std::size_t last = first;
        while (last + 1 < days.size() && calendar.days.test(last + 1)) ++last;
        list.append(list.empty() ? "" : ",").append(days[first]);
        if (last > first) list.append("..").append(days[last]);
        first = last;
    }
    return (list.empty() ? "" : list + " ") + time_of_day_text(calendar.at);
}

}  // namespace left4me
