#include "specs/reporter.hpp"

#include <algorithm>

namespace left4me {
namespace {

std::string_view line_at(std::string_view text, int number) {
    std::size_t begin = 0;
    for (int line = 0; line < number; ++line) {
        const std::size_t newline = text.find('\n', begin);
        if (newline == std::string_view::npos) return "";
        begin = newline + 1;
    }
    std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

Location Reporter::at(const yaml::Mark& mark) const {
    return {file_, first_line_ + mark.line, mark.column + 1};
}

yaml::Mark Reporter::within(const yaml::Node& scalar, std::size_t offset) const {
    const std::string_view rest = document_.substr(std::min(scalar.mark.offset, document_.size()));
    if (!rest.starts_with('|')) return scalar.mark;
    const std::string_view text = scalar.text;
    const std::size_t at = std::min(offset, text.size());
    const std::size_t newline = text.substr(0, at).rfind('\n');
    const std::size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
    const std::string_view line = text.substr(line_begin, text.find('\n', line_begin) - line_begin);
    const auto lines = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
    const int number = scalar.mark.line + 1 + static_cast<int>(lines);
    const std::string_view written = line_at(document_, number);
    if (!written.ends_with(line)) return scalar.mark;
    return {number, static_cast<int>(written.size() - line.size() + at - line_begin), 0};
}

void Reporter::add(Rule rule, const yaml::Mark& mark, std::string message) {
    diagnostics_.push_back({at(mark), std::move(message), rule});
}

}  // namespace left4me
