#include "adapters/source/bundle.hpp"

#include <fmt/format.h>

#include <charconv>

namespace left4me {

namespace {

constexpr std::string_view magic = "left4me bundle 1: ";
constexpr std::string_view end_mark = "end\n";

std::optional<std::string_view> take_line(std::string_view& text) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    return line;
}

/// `length` bytes and the newline after them.
std::optional<std::string> take_bytes(std::string_view& text, std::size_t length) {
    if (text.size() <= length || text[length] != '\n') return std::nullopt;
    std::string bytes(text.substr(0, length));
    text.remove_prefix(length + 1);
    return bytes;
}

struct Lengths {
    std::size_t name = 0;
    std::size_t text = 0;
};

std::optional<Lengths> parse_lengths(std::string_view line) {
    Lengths lengths;
    const char* const end = line.data() + line.size();
    const auto first = std::from_chars(line.data(), end, lengths.name);
    if (first.ec != std::errc() || first.ptr == end || *first.ptr != ' ') return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, end, lengths.text);
    if (second.ec != std::errc() || second.ptr != end) return std::nullopt;
    return lengths;
}

}  // namespace

std::string write_bundle(const Bundle& bundle) {
    std::string text = fmt::format("{}{}\n", magic, bundle.title);
    for (const SourceFile& entry : bundle.entries) {
        text += fmt::format("{} {}\n{}\n{}\n", entry.name.size(), entry.text.size(), entry.name, entry.text);
    }
    return text += end_mark;
}

std::optional<Bundle> read_bundle(std::string_view text) {
    const auto first = take_line(text);
    if (!first || !first->starts_with(magic)) return std::nullopt;
    Bundle bundle{.title = std::string(first->substr(magic.size())), .entries = {}};
    while (text != end_mark) {
        const auto line = take_line(text);
        if (!line) return std::nullopt;
        const auto lengths = parse_lengths(*line);
        if (!lengths) return std::nullopt;
        auto name = take_bytes(text, lengths->name);
        if (!name) return std::nullopt;
        auto content = take_bytes(text, lengths->text);
        if (!content) return std::nullopt;
        bundle.entries.push_back({std::move(*name), std::move(*content)});
    }
    return bundle;
}

}  // namespace left4me
