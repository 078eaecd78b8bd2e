#include "l4d2ctl/terminal.hpp"

#include <langinfo.h>
#include <locale.h>  // NOLINT(modernize-deprecated-headers): newlocale() is POSIX
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <cwchar>
#include <limits>
#include <optional>

#include "specs/text.hpp"

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

/// COLUMNS, which is exported only on purpose.
std::optional<std::size_t> asked_width() {
    const char* const value = std::getenv("COLUMNS");
    if (value == nullptr) return std::nullopt;
    const std::string_view text(value);
    std::uint16_t columns = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), columns);
    if (error != std::errc() || end != text.data() + text.size() || columns == 0) return std::nullopt;
    return columns;
}

/// The locale of the environment, only for this purpose: setting the program's locale would change number
/// formats and comparisons.
class OwnLocale {
  public:
    OwnLocale() : locale_(::newlocale(LC_CTYPE_MASK, "", nullptr)) {}
    OwnLocale(const OwnLocale&) = delete;
    OwnLocale& operator=(const OwnLocale&) = delete;
    ~OwnLocale() {
        if (locale_ != nullptr) ::freelocale(locale_);
    }

    /// A missing locale counts as the C locale, as in other programs.
    bool is_utf8() const {
        return locale_ != nullptr && std::string_view(::nl_langinfo_l(CODESET, locale_)) == "UTF-8";
    }

    /// The character in the locale's character set; nullopt if it is not in it.
    std::optional<std::string> encode(wchar_t character) const {
        if (locale_ == nullptr) return std::nullopt;
        const locale_t before = ::uselocale(locale_);
        std::array<char, MB_LEN_MAX> bytes{};
        std::mbstate_t state{};
        const std::size_t length = std::wcrtomb(bytes.data(), character, &state);
        ::uselocale(before);
        if (length == static_cast<std::size_t>(-1)) return std::nullopt;
        return std::string(bytes.data(), length);
    }

  private:
    locale_t locale_;
};

/// For the characters that l4d2ctl itself prints.
std::string similar(wchar_t character) {
    switch (character) {
        case L'…':
            return "...";
        case L'●':
        case L'·':
            return "*";
        case L'→':
            return "->";
        case L'✓':
            return "ok";
        case L'✗':
            return "x";
        case L'–':
            return "-";
        default:
            return "?";
    }
}

}  // namespace

Terminal Terminal::of(int fd) {
    Terminal terminal;
    terminal.person = ::isatty(fd) == 1;
    const std::optional<std::size_t> asked = asked_width();
    if (!terminal.person) {
        terminal.width = asked.value_or(std::numeric_limits<std::size_t>::max());
        return terminal;
    }
    const char* const kind = std::getenv("TERM");
    terminal.colour = !set_and_not_empty("NO_COLOR") && kind != nullptr && std::string_view(kind) != "dumb";
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        terminal.width = size.ws_col;
        terminal.height = size.ws_row;
    }
    terminal.width = asked.value_or(terminal.width);
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
        std::size_t pending = 0;  // spaces are only written before more text, so no line ends with them
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

std::string for_locale(std::string_view text, int fd) {
    static const OwnLocale locale;
    const bool ascii =
        std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80U; });
    if (ascii || ::isatty(fd) != 1 || locale.is_utf8()) return std::string(text);
    std::string shown;
    for (std::size_t at = 0; at < text.size();) {
        const auto first = static_cast<unsigned char>(text[at]);
        std::size_t length = 1;
        while (first >= 0xC0U && at + length < text.size() && continues(text[at + length])) ++length;
        if (first < 0x80U) {
            shown += text[at];
        } else {
            unsigned code = first & (0xFFU >> (length + 1));
            for (std::size_t i = 1; i < length; ++i)
                code = (code << 6U) | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
            const auto character = static_cast<wchar_t>(code);
            shown += length == 1 ? "?" : locale.encode(character).value_or(similar(character));
        }
        at += length;
    }
    return shown;
}

std::string fit_for_terminal(std::string_view text) {
    static constexpr std::array<std::string_view, 6> ours{"\033[0m",  "\033[1m",  "\033[2m",
                                                          "\033[31m", "\033[32m", "\033[33m"};
    std::string fit;
    while (!text.empty()) {
        const auto colour =
            std::find_if(ours.begin(), ours.end(), [&](std::string_view c) { return text.starts_with(c); });
        const std::size_t length =
            colour != ours.end() ? colour->size() : std::min(text.find('\033', 1), text.size());
        if (colour != ours.end())
            fit += *colour;
        else
            fit += printable(text.substr(0, length));
        text.remove_prefix(length);
    }
    return fit;
}

}  // namespace left4me::ctl
