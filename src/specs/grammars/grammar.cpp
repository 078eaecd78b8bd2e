#include "specs/grammars/grammar.hpp"

#include <fmt/format.h>

#include "specs/cpus.hpp"
#include "specs/grammars/calendar.hpp"
#include "specs/grammars/dscp.hpp"
#include "specs/grammars/duration.hpp"
#include "specs/grammars/integer.hpp"
#include "specs/grammars/percentage.hpp"
#include "specs/grammars/share.hpp"
#include "specs/grammars/signed.hpp"
#include "specs/grammars/size.hpp"
#include "specs/grammars/time_of_day.hpp"
#include "specs/text.hpp"

namespace left4me {
namespace {

using Read = std::optional<std::int64_t>;

template <typename Value>
Read number(const std::optional<Value>& value) {
    return value ? Read(static_cast<std::int64_t>(*value)) : std::nullopt;
}

std::string decimal(std::int64_t value) { return std::to_string(value); }

constexpr std::string_view digits = "^(0|[1-9][0-9]*)$";

constexpr Grammar port{.noun = "port",
                       .form = "a plain decimal number",
                       .examples = "",
                       .pattern = digits,
                       .read = [](std::string_view text) { return number(parse_integer(text)); },
                       .write = decimal};
constexpr Grammar integer{.noun = "number",
                          .form = "a plain decimal number",
                          .examples = "",
                          .pattern = digits,
                          .read = [](std::string_view text) { return number(parse_integer(text)); },
                          .write = decimal};
constexpr Grammar with_sign{.noun = "number",
                            .form = "a plain decimal number",
                            .examples = "",
                            .pattern = "^(0|-?[1-9][0-9]*)$",
                            .read = parse_signed,
                            .write = decimal};
constexpr Grammar cpu_set{
    .noun = "set of processors",
    .form = "numbers, and ranges from the lower to the higher one, separated by commas",
    .examples = "2, 0-3 or 0-3,8-11",
    .pattern = "^(0|[1-9][0-9]{0,3})(-(0|[1-9][0-9]{0,3}))?(,(0|[1-9][0-9]{0,3})(-(0|[1-9][0-9]{0,3}))?)*$",
    .read = [](std::string_view text) { return parse_cpus(text) ? Read(0) : std::nullopt; },
    .write = decimal};
constexpr Grammar dscp{
    .noun = "DSCP",
    .form = dscp_form,
    .examples = dscp_examples,
    .pattern = "^([1-5]?[0-9]|6[0-3]|[Cc][Ss][0-7]|[Aa][Ff][1-4][1-3]|[Ee][Ff]|[Vv][Aa]|[Ll][Ee])$",
    .read = parse_dscp,
    .write = decimal};
constexpr Grammar size{
    .noun = "size",
    .form = size_form,
    .examples = size_examples,
    .pattern = "^(0|[1-9][0-9]*)([KMGTP]i)?$",
    .read = [](std::string_view text) { return number(parse_size(text)); },
    .write = [](std::int64_t bytes) { return size_text(static_cast<std::uint64_t>(bytes)); }};
constexpr Grammar percentage{.noun = "percentage",
                             .form = percentage_form,
                             .examples = percentage_examples,
                             .pattern = "^(100|[1-9]?[0-9])%$",
                             .read = [](std::string_view text) { return number(parse_percentage(text)); },
                             .write = [](std::int64_t value) { return fmt::format("{}%", value); }};
constexpr Grammar share{.noun = "number or percentage",
                        .form = share_form,
                        .examples = share_examples,
                        .pattern = "^[1-9][0-9]{0,3}$|^(100|[1-9][0-9]?)%$",
                        .read = [](std::string_view text) -> Read {
                            const auto parsed = parse_share(text);
                            return parsed ? Read(parsed->value) : std::nullopt;
                        },
                        .write = decimal};
constexpr Grammar duration{
    .noun = "duration",
    .form = duration_form,
    .examples = duration_examples,
    .pattern = "^[1-9][0-9]*[smhd]$",
    .read = [](std::string_view text) -> Read {
        const auto parsed = parse_duration(text);
        return parsed ? Read(parsed->count()) : std::nullopt;
    },
    .write = [](std::int64_t count) { return duration_text(std::chrono::seconds(count)); }};
constexpr Grammar time_of_day{
    .noun = "time of day",
    .form = time_of_day_form,
    .examples = time_of_day_examples,
    .pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    .read = [](std::string_view text) -> Read {
        const auto parsed = parse_time_of_day(text);
        return parsed ? Read(parsed->count()) : std::nullopt;
    },
    .write = [](std::int64_t minutes) { return time_of_day_text(std::chrono::minutes(minutes)); }};
constexpr Grammar calendar{
    .noun = "calendar event",
    .form = calendar_form,
    .examples = calendar_examples,
    .pattern = R"(^((Mon|Tue|Wed|Thu|Fri|Sat|Sun)(\.\.(Mon|Tue|Wed|Thu|Fri|Sat|Sun))?(,(Mon|Tue|Wed|Thu|Fri|)"
               R"(Sat|Sun)(\.\.(Mon|Tue|Wed|Thu|Fri|Sat|Sun))?)* )?([01][0-9]|2[0-3]):[0-5][0-9]$)",
    .read = [](std::string_view text) { return parse_calendar(text) ? Read(0) : std::nullopt; },
    .write = decimal};

constexpr Grammar deadline{
    .noun = "duration or time of day",
    .form = "a number and one of s, m, h, d, or hour and minute",
    .examples = "30m, 12h or 06:00",
    .pattern = "^[1-9][0-9]*[smhd]$|^([01][0-9]|2[0-3]):[0-5][0-9]$",
    .read = [](std::string_view text) -> Read {
        // Which is in any range of durations.
        if (parse_time_of_day(text)) return Read(1);
        const auto parsed = parse_duration(text);
        return parsed ? Read(parsed->count()) : std::nullopt;
    },
    .write = [](std::int64_t count) { return duration_text(std::chrono::seconds(count)); }};
constexpr Grammar window{
    .noun = "part of the day",
    .form = window_form,
    .examples = window_examples,
    .pattern = R"(^(?!(.{5})-\1$)([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$)",
    .read = [](std::string_view text) { return parse_window(text) ? Read(0) : std::nullopt; },
    .write = decimal};

std::string range(const Grammar& grammar, const Field& field) {
    return fmt::format("from {} to {}", grammar.write(field.minimum), grammar.write(field.maximum));
}

}  // namespace

const Grammar* grammar_of(Type type) {
    switch (type) {
        case Type::Port:
            return &port;
        case Type::Integer:
            return &integer;
        case Type::Signed:
            return &with_sign;
        case Type::CpuSet:
            return &cpu_set;
        case Type::Dscp:
            return &dscp;
        case Type::Size:
            return &size;
        case Type::Percentage:
            return &percentage;
        case Type::Share:
            return &share;
        case Type::Duration:
            return &duration;
        case Type::TimeOfDay:
            return &time_of_day;
        case Type::Calendar:
            return &calendar;
        case Type::Deadline:
            return &deadline;
        case Type::Window:
            return &window;
        case Type::Map:
        case Type::Choice:
        case Type::TextMap:
        case Type::List:
        case Type::Constant:
        case Type::Enum:
        case Type::Switch:
        case Type::Name:
        case Type::Label:
        case Type::Directory:
        case Type::HostPath:
        case Type::FilePath:
        case Type::Argument:
        case Type::Line:
        case Type::SecretFile:
        case Type::CvarName:
        case Type::CvarValue:
        case Type::Config:
        case Type::ArchiveUrl:
        case Type::HttpsUrl:
        case Type::WorkshopId:
        case Type::BuildId:
        case Type::Sha256:
        case Type::GitUrl:
        case Type::HostKey:
        case Type::GitRef:
        case Type::TreePath:
        case Type::Text:
            return nullptr;
    }
    return nullptr;
}

std::string in_words(const Grammar& grammar, const Field& field) {
    if (field.maximum == 0) return std::string(grammar.noun);
    // A port is a number, to whoever reads a table of fields.
    const std::string_view noun = field.type == Type::Port ? integer.noun : grammar.noun;
    return fmt::format("{} {}", noun, range(grammar, field));
}

void check_word(const Grammar& grammar, const Field& field, std::string_view text, Violations& violations) {
    const auto value = grammar.read(text);
    if (!value) {
        const std::string more = !grammar.examples.empty() ? fmt::format(", e.g. {}", grammar.examples)
                                 : field.maximum != 0      ? " " + range(grammar, field)
                                                           : "";
        violations.push_back(
            {Rule::ValueInvalid, fmt::format("{} is not {}; write {}{}", in_quotes(text),
                                             with_article(grammar.noun), grammar.form, more)});
    } else if (field.maximum != 0 && (*value < field.minimum || *value > field.maximum)) {
        violations.push_back(
            {Rule::ValueRange, fmt::format("{} is out of range; choose {} {}", in_quotes(text),
                                           with_article(grammar.noun), range(grammar, field))});
    }
}

}  // namespace left4me
