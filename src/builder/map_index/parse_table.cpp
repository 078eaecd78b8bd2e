#include "builder/map_index/parse_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <expected>
#include <string>
#include <string_view>

#include "adapters/store/files.hpp"
#include "builder/messages.hpp"

namespace left4me::builder {

namespace {

using Kind = Message::Kind;

constexpr char separator = ';';
constexpr char quote = '"';

std::string_view trimmed(std::string_view text) {
    const std::size_t begin = text.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return {};
    return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// Takes a field in quotes, and them, from the beginning of `rest`.
std::expected<std::string, std::string_view> take_quoted(std::string_view& rest) {
    std::string field;
    rest.remove_prefix(1);
    while (true) {
        const std::size_t end = rest.find(quote);
        if (end == std::string_view::npos) return std::unexpected("has a quote that is not closed");
        field += rest.substr(0, end);
        rest.remove_prefix(end + 1);
        if (!rest.starts_with(quote)) break;  // two of them stand for one
        field += quote;
        rest.remove_prefix(1);
    }
    return field;
}

/// The fields, each with a NUL behind it; or what is wrong with the line.
std::expected<std::string, std::string_view> parse_line(std::string_view line) {
    const bool control = std::any_of(line.begin(), line.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < ' ' && c != '\t') || byte == 0x7f;
    });
    if (control) return std::unexpected("has a control character; is it a text file?");
    std::string fields;
    while (true) {
        line = line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
        if (line.starts_with(quote)) {
            auto field = take_quoted(line);
            if (!field) return std::unexpected(field.error());
            fields += *field;
            line = trimmed(line);
            if (!line.empty() && !line.starts_with(separator))
                return std::unexpected("has text behind a closing quote");
        } else {
            const std::size_t end = std::min(line.find(separator), line.size());
            fields += trimmed(line.substr(0, end));
            line.remove_prefix(end);
        }
        fields += '\0';
        if (line.empty()) return fields;
        line.remove_prefix(1);
    }
}

}  // namespace

void parse_table(int file, int pipe) {
    const auto fail = [pipe](std::string why) {
        (void)send_message(pipe, {.kind = Kind::Failed, .text = std::move(why), .more = {}});
    };
    std::string buffer(max_table_bytes + 1, '\0');
    const auto text = store::read_at(file, buffer, 0, "the index");
    if (!text) return fail(text.error());
    if (text->size() > max_table_bytes)
        return fail(fmt::format("it has more than {} bytes, as no index has", max_table_bytes));
    std::string_view rest = *text;
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (rest.starts_with(byte_order_mark)) rest.remove_prefix(byte_order_mark.size());
    for (std::uint64_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = std::min(rest.find('\n'), rest.size());
        std::string_view line = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (trimmed(line).empty()) continue;
        if (line.size() > max_line_bytes)
            return fail(
                fmt::format("line {} has {} bytes; {} are allowed", number, line.size(), max_line_bytes));
        auto fields = parse_line(line);
        if (!fields) return fail(fmt::format("line {} {}", number, fields.error()));
        if (!send_message(pipe,
                          {.kind = Kind::Row, .number = number, .text = std::move(*fields), .more = {}}))
            return;
    }
    (void)send_message(pipe, {.kind = Kind::End, .text = {}, .more = {}});
}

}  // namespace left4me::builder
