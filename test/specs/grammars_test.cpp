#include <rapidcheck.h>

#include "specs/grammars/calendar.hpp"
#include "specs/grammars/dscp.hpp"
#include "specs/grammars/duration.hpp"
#include "specs/grammars/grammar.hpp"
#include "specs/grammars/integer.hpp"
#include "specs/grammars/percentage.hpp"
#include "specs/grammars/size.hpp"
#include "specs/grammars/time_of_day.hpp"
#include "support/catch.hpp"

using namespace left4me;
using namespace std::chrono_literals;

namespace {

std::string violation(const Field& field, std::string_view text) {
    Violations complaints;
    check_word(*grammar_of(field.type), field, text, complaints);
    return complaints.empty() ? "" : complaints.front().message;
}

}  // namespace

TEST_CASE("a calendar that is written is read again") {
    for (const char* text : {"04:00", "Mon 05:00", "Mon..Fri,Sun 05:00", "Tue,Thu,Sat..Sun 23:59"}) {
        INFO(text);
        REQUIRE(parse_calendar(text));
        CHECK(to_text(*parse_calendar(text)) == text);
    }
    CHECK(to_text(*parse_calendar("Sun,Mon,Tue 05:00")) == "Mon..Tue,Sun 05:00");
    CHECK(to_text(*parse_calendar("Mon..Sun 05:00")) == "05:00");
    for (const char* text : {"", "4:00", "04:00:00", "*-*-* 04:00", "daily", "Fri..Mon 04:00", "mon 04:00",
                             "Mon  04:00", "Mon,04:00", "04:00 UTC", "*:00", " 04:00", ", 04:00"}) {
        INFO(text);
        CHECK_FALSE(parse_calendar(text));
    }
}

TEST_CASE("a DSCP is a standard name or a number, and is shown by its name") {
    CHECK(parse_dscp("EF") == 46);
    CHECK(parse_dscp("ef") == 46);
    CHECK(parse_dscp("va") == 44);
    CHECK(parse_dscp("le") == 1);
    for (int number = 0; number < 8; ++number) CHECK(parse_dscp("cs" + std::to_string(number)) == number * 8);
    // RFC 2597, 6
    for (int one = 1; one <= 4; ++one) {
        for (int drop = 1; drop <= 3; ++drop)
            CHECK(parse_dscp("af" + std::to_string(one * 10 + drop)) == one * 8 + drop * 2);
    }
    for (const auto* text : {"", "E F", "cs8", "af44", "-1", "046", "ef ", "expedited"})
        CHECK_FALSE(parse_dscp(text));
    CHECK(dscp_text("46") == "EF");
    CHECK(dscp_text("0") == "CS0");
    CHECK(dscp_text("47") == "47");
    CHECK(dscp_text("what root wrote") == "what root wrote");
    const Field field{.name = "dscp", .type = Type::Dscp, .documentation = "test", .maximum = 63};
    CHECK(violation(field, "63").empty());
    CHECK(violation(field, "64") == "'64' is out of range; choose a DSCP from 0 to 63");
    CHECK(violation(field, "E") ==
          "'E' is not a DSCP; write CS0 to CS7, AF11 to AF43, EF, VA or LE, or a number, "
          "e.g. EF, CS4 or 46");
}

TEST_CASE("an integer is plain decimal digits") {
    CHECK(parse_integer("0") == 0U);
    CHECK(parse_integer("27015") == 27015U);
    CHECK(parse_integer("18446744073709551615") == 18446744073709551615U);
    for (const char* text :
         {"", "-1", "+1", "01", "1.5", "0x10", "1e3", " 1", "1 ", "18446744073709551616"}) {
        INFO(text);
        CHECK_FALSE(parse_integer(text));
    }
}

TEST_CASE("a duration is a number and its unit") {
    CHECK(parse_duration("90s") == 90s);
    CHECK(parse_duration("30m") == 30min);
    CHECK(parse_duration("12h") == 12h);
    CHECK(parse_duration("2d") == 48h);
    CHECK(parse_duration("10000d") == max_duration);
    for (const char* text : {"", "s", "90", "0s", "-1s", "1.5h", "03h", "2w", "2 d", "1h30m", "10001d",
                             "18446744073709551615d", "864000001s"}) {
        INFO(text);
        CHECK_FALSE(parse_duration(text));
    }
    CHECK(duration_text(90s) == "90s");
    CHECK(duration_text(60s) == "1m");
    CHECK(duration_text(24h) == "1d");
    rc::check("a duration that is written is read again", [] {
        const std::chrono::seconds seconds(*rc::gen::inRange<std::int64_t>(1, max_duration.count()));
        RC_ASSERT(parse_duration(duration_text(seconds)) == seconds);
    });
}

TEST_CASE("a size is a number of bytes, with a unit of 1024 or without") {
    CHECK(parse_size("0") == 0U);
    CHECK(parse_size("1000") == 1000U);
    CHECK(parse_size("1Ki") == 1024U);
    CHECK(parse_size("2Gi") == std::uint64_t{2} << 30U);
    CHECK(parse_size("16383Pi") == std::uint64_t{16383} << 50U);
    for (const char* text : {"", "Gi", "2G", "2GB", "2gi", "2 Gi", "-2Gi", "1.5Gi", "01Gi", "16384Pi"}) {
        INFO(text);
        CHECK_FALSE(parse_size(text));
    }
    CHECK(size_text(0) == "0");
    CHECK(size_text(1025) == "1025");
    CHECK(size_text(256ULL << 30U) == "256Gi");
    rc::check("a size that is written is read again",
              [](std::uint64_t bytes) { RC_ASSERT(parse_size(size_text(bytes)) == bytes); });
}

TEST_CASE("a percentage is a whole number from 0 to 100") {
    CHECK(parse_percentage("0%") == 0U);
    CHECK(parse_percentage("25%") == 25U);
    CHECK(parse_percentage("100%") == 100U);
    for (const char* text : {"", "%", "25", "101%", "-1%", "2.5%", "025%", "25 %"}) {
        INFO(text);
        CHECK_FALSE(parse_percentage(text));
    }
}

TEST_CASE("a time of day has two digits for the hour and two for the minute") {
    CHECK(parse_time_of_day("00:00") == 0min);
    CHECK(parse_time_of_day("04:30") == 270min);
    CHECK(parse_time_of_day("23:59") == 1439min);
    for (const char* text : {"", "4:00", "04:0", "24:00", "04:60", "04:00:00", "0400", "+4:00", "04.00"}) {
        INFO(text);
        CHECK_FALSE(parse_time_of_day(text));
    }
}

TEST_CASE("a calendar event is a time of day, on every day or on the days of the week that it names") {
    CHECK(parse_calendar("04:00") == Calendar{.days = 0b1111111, .at = 4h});
    CHECK(parse_calendar("Mon 05:00") == Calendar{.days = 0b0000001, .at = 5h});
    CHECK(parse_calendar("Mon,Thu 05:00") == Calendar{.days = 0b0001001, .at = 5h});
    CHECK(parse_calendar("Mon..Fri,Sun 05:00") == Calendar{.days = 0b1011111, .at = 5h});
    for (const char* text :
         {"", "Mon", "mon 05:00", "Monday 05:00", "Mon  05:00", " 05:00", "Mon, 05:00", "Fri..Mon 05:00",
          "Mon.. 05:00", "Mon-Fri 05:00", "daily", "*-*-* 05:00", "05:00 Mon", "Mon 05:00 UTC"}) {
        INFO(text);
        CHECK_FALSE(parse_calendar(text));
    }
}

TEST_CASE("a part of the day has two different ends, and may reach over midnight") {
    using namespace std::chrono_literals;
    CHECK(parse_window("04:00-08:00") == std::pair<std::chrono::minutes, std::chrono::minutes>(4h, 8h));
    CHECK(parse_window("23:00-06:30") ==
          std::pair<std::chrono::minutes, std::chrono::minutes>(23h, 6h + 30min));
    for (const char* text : {"", "-", "04:00", "04:00-", "-08:00", "04:00-04:00", "4-8", "04:00-08:00-"}) {
        INFO(text);
        CHECK_FALSE(parse_window(text));
    }
    CHECK(time_of_day_text(6h + 5min) == "06:05");
}

TEST_CASE("a value that is not in its grammar or not in its range is told with what would be") {
    const Field interval{
        .name = "interval", .type = Type::Duration, .documentation = "", .minimum = 10, .maximum = 86400};
    CHECK(violation(interval, "5m").empty());
    CHECK(violation(interval, "5") ==
          "'5' is not a duration; write a number and one of s, m, h, d, e.g. 90s, 30m, 12h or 2d");
    CHECK(violation(interval, "9s") == "'9s' is out of range; choose a duration from 10s to 1d");
    const Field memory{
        .name = "memory", .type = Type::Size, .documentation = "", .minimum = 1 << 20, .maximum = 1 << 30};
    CHECK(violation(memory, "2Gi") == "'2Gi' is out of range; choose a size from 1Mi to 1Gi");
    CHECK(violation(memory, "18446744073709551615") ==
          "'18446744073709551615' is out of range; choose a size from 1Mi to 1Gi");
    const Field depth{
        .name = "depth", .type = Type::Integer, .documentation = "", .minimum = 8, .maximum = 1000};
    CHECK(violation(depth, "deep") == "'deep' is not a number; write a plain decimal number from 8 to 1000");
    const Field refresh{.name = "refresh", .type = Type::Calendar, .documentation = ""};
    CHECK(violation(refresh, "Mon..Fri 04:00").empty());
    CHECK(violation(refresh, "daily") ==
          "'daily' is not a calendar event; write a time of day, with days of the week in front of it if it "
          "is not every day, e.g. 04:00, Mon 05:00 or Mon..Fri,Sun 05:00");
}
