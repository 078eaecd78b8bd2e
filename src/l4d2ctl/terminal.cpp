#include "l4d2ctl/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <limits>

namespace left4me::ctl {

namespace {

constexpr std::size_t least_last_column = 12;

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U; }

const char* escape(Paint paint) {
    switch (paint) {
        case Paint::Plain:
            return "";
        case Paint::Bold:
            return "\033[1m";
        case Paint::Dim:
            return "\033[2m";
        case Paint::Green:
            return "\033[32m";
        case Paint::Yellow:
            return "\033[33m";
        case Paint::Red:
            return "\033[31m";
    }
    return "";
}

bool set_and_not_empty(const char* variable) {
    const char* const value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

}  // namespace

Terminal Terminal::of(int fd) {
    Terminal terminal;
    terminal.person = ::isatty(fd) == 1;
    if (!terminal.person) {
        terminal.width = std::numeric_limits<std::size_t>::max();
        return terminal;
    }
    const char* const kind = std::getenv("TERM");
    terminal.colour = !set_and_not_empty("NO_COLOR") && kind != nullptr && std::string_view(kind) != "dumb";
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) terminal.width = size.ws_col;
    return terminal;
}

std::string Terminal::paint(Paint paint, std::string_view text) const {
    if (!colour || paint == Paint::Plain || text.empty()) return std::string(text);
    return std::string(escape(paint)).append(text).append("\033[0m");
}

std::size_t display_width(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::string shorten(std::string_view text, std::size_t width) {
    if (display_width(text) <= width) return std::string(text);
    std::size_t end = 0;
    for (std::size_t column = 0; end < text.size(); ++end) {
        if (!continues(text[end]) && column++ + 1 >= width) break;
    }
    return std::string(text.substr(0, end)) + "…";
}

std::string table(const std::vector<std::vector<Cell>>& rows, const Terminal& terminal) {
    if (rows.empty()) return {};
    const std::size_t columns = rows.front().size();
    const std::size_t gap = terminal.width < roomy ? 2 : 3;
    std::vector<std::size_t> widths(columns, 0);
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < columns; ++i) widths[i] = std::max(widths[i], display_width(row[i].text));
    }
    std::size_t before_last = 0;
    for (std::size_t i = 0; i + 1 < columns; ++i) before_last += widths[i] + gap;
    const std::size_t room = terminal.width > before_last + least_last_column
                                 ? terminal.width - before_last
                                 : std::numeric_limits<std::size_t>::max();
    std::string text;
    for (const auto& row : rows) {
        std::string line;
        std::size_t pending = 0;  // spaces are only written before more text: no line ends in blanks
        for (std::size_t i = 0; i < columns; ++i) {
            const std::string shown = i + 1 == columns ? shorten(row[i].text, room) : row[i].text;
            if (!shown.empty()) line += std::string(pending, ' ') + terminal.paint(row[i].paint, shown);
            if (!shown.empty()) pending = 0;
            pending += widths[i] - std::min(widths[i], display_width(shown)) + gap;
        }
        text += line + "\n";
    }
    return text;
}

std::vector<Cell> heading(const std::vector<std::string>& titles) {
    std::vector<Cell> row;
    for (const std::string& title : titles) row.push_back({title, Paint::Dim});
    return row;
}

std::string section(const std::string& title, std::string_view text, const Terminal& terminal) {
    const std::size_t last = text.find_last_not_of(" \n");
    if (last == std::string_view::npos) return {};
    std::string indented = "\n" + terminal.paint(Paint::Bold, title) + "\n";
    char before = '\n';
    for (const char c : text.substr(0, last + 1)) {
        if (before == '\n' && c != '\n') indented += "  ";
        indented += c;
        before = c;
    }
    return indented + "\n";
}

std::string printable(std::string_view text) {
    std::string clean;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        const bool control = (byte < 0x20U && c != '\n' && c != '\t') || byte == 0x7FU;
        clean += control ? '?' : c;
    }
    return clean;
}

}  // namespace left4me::ctl
