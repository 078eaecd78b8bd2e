#include "specs/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace left4me {
namespace {

constexpr std::size_t max_shown = 60;

unsigned char byte_at(std::string_view text, std::size_t at) { return static_cast<unsigned char>(text[at]); }

bool is_continuation(std::string_view text, std::size_t at) {
    return at < text.size() && (byte_at(text, at) & 0xC0U) == 0x80U;
}

std::string lower(std::string_view text) {
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return result;
}

/// The number of insertions, deletions, replacements and swaps of neighbours that turn one word into the
/// other.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1);
    std::vector<std::size_t> previous(b.size() + 1);
    std::vector<std::size_t> current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        current[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            current[j] = std::min({previous[j] + 1, current[j - 1] + 1, replace});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                current[j] = std::min(current[j], before[j - 2] + 1);
            }
        }
        std::swap(before, previous);
        std::swap(previous, current);
    }
    return previous[b.size()];
}

/// Length of the well-formed sequence that begins at `at`, or 0.
std::size_t utf8_length(std::string_view text, std::size_t at) {
    const unsigned char lead = byte_at(text, at);
    if (lead < 0x80U) return 1;
    const std::size_t length = lead >= 0xF0U ? 4 : lead >= 0xE0U ? 3 : 2;
    if (lead < 0xC2U || lead > 0xF4U) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if (!is_continuation(text, at + i)) return 0;
    }
    const unsigned char second = byte_at(text, at + 1);
    const bool overlong = (lead == 0xE0U && second < 0xA0U) || (lead == 0xF0U && second < 0x90U);
    const bool surrogate = lead == 0xEDU && second > 0x9FU;
    const bool too_large = lead == 0xF4U && second > 0x8FU;
    return overlong || surrogate || too_large ? 0 : length;
}

struct Range {
    char32_t first;
    char32_t last;
};

/// Invisible format characters that change how a person reads the text around them.
constexpr std::array<Range, 11> invisible{{
    {0x00AD, 0x00AD},    // soft hyphen
    {0x061C, 0x061C},    // Arabic letter mark
    {0x180E, 0x180E},    // Mongolian vowel separator
    {0x200B, 0x200F},    // zero-width characters, left-to-right and right-to-left marks
    {0x2028, 0x202E},    // line and paragraph separators, bidirectional embeddings and overrides
    {0x2060, 0x206F},    // invisible operators, bidirectional isolates
    {0xFEFF, 0xFEFF},    // byte order mark
    {0xFFF9, 0xFFFB},    // interlinear annotations
    {0x1BCA0, 0x1BCA3},  // shorthand format controls
    {0x1D173, 0x1D17A},  // musical format controls
    {0xE0000, 0xE0FFF},  // tags and variation selectors
}};

char32_t code_point(std::string_view character) {
    const unsigned char lead = byte_at(character, 0);
    if (character.size() == 1) return lead;
    char32_t value = lead & (0xFFU >> (character.size() + 1));
    for (std::size_t i = 1; i < character.size(); ++i) value = value << 6U | (byte_at(character, i) & 0x3FU);
    return value;
}

/// Length in bytes of the control character that begins at `at`, or 0.
std::size_t control_length(std::string_view text, std::size_t at) {
    const unsigned char byte = byte_at(text, at);
    if (byte < 0x20U || byte == 0x7FU) return 1;
    const bool c1 = byte == 0xC2U && at + 1 < text.size() && byte_at(text, at + 1) < 0xA0U;
    return c1 ? 2 : 0;
}

/// Number of bytes at `at` that must not reach a terminal, or 0.
std::size_t unprintable_length(std::string_view text, std::size_t at) {
    if (const std::size_t control = control_length(text, at); control > 0) return control;
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return 1;
    const char32_t character = code_point(text.substr(at, length));
    const bool hidden = std::any_of(invisible.begin(), invisible.end(), [character](const Range& range) {
        return range.first <= character && character <= range.last;
    });
    return hidden ? length : 0;
}

}  // namespace

std::string in_quotes(std::string_view text) {
    std::string shown = "'";
    for (std::size_t at = 0; at < text.size();) {
        if (shown.size() > max_shown) return shown + "…'";
        if (const std::size_t bad = unprintable_length(text, at); bad > 0) {
            for (std::size_t i = 0; i < bad; ++i) shown += fmt::format("\\x{:02x}", byte_at(text, at + i));
            at += bad;
            continue;
        }
        const std::size_t length = utf8_length(text, at);
        shown += text.substr(at, length);
        at += length;
    }
    return shown + "'";
}

std::string printable(std::string_view text) {
    std::string clean;
    clean.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const bool white = text[at] == '\n' || text[at] == '\t';
        const std::size_t bad = white ? 0 : unprintable_length(text, at);
        const std::size_t length = bad > 0 ? bad : utf8_length(text, at);
        if (bad > 0)
            clean += '?';
        else
            clean += text.substr(at, length);
        at += length;
    }
    return clean;
}

std::string printable_line(std::string_view text) {
    std::string line = printable(text);
    std::replace_if(line.begin(), line.end(), [](char c) { return c == '\n' || c == '\t'; }, ' ');
    return line;
}

std::string_view closest(std::string_view word, std::span<const std::string_view> candidates) {
    constexpr std::size_t max_word = 64;  // of those that a person could have meant
    if (word.empty() || word.size() > max_word) return "";
    const std::string wanted = lower(word);
    const std::size_t allowed = std::max<std::size_t>(1, word.size() / 3);
    std::size_t best = allowed + 1;
    std::string_view meant;
    for (const std::string_view candidate : candidates) {
        const std::size_t length_gap =
            candidate.size() > word.size() ? candidate.size() - word.size() : word.size() - candidate.size();
        if (length_gap > allowed) continue;
        const std::size_t edits = distance(wanted, lower(candidate));
        // A two-letter word that differs in one letter is another word, not a typo.
        if (edits >= candidate.size() || (candidate.size() < 3 && edits > 0)) continue;
        if (edits < best) {
            best = edits;
            meant = candidate;
        }
    }
    return meant;
}

std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates) {
    const std::string_view meant = closest(word, candidates);
    return meant.empty() ? "" : fmt::format("; did you mean '{}'?", meant);
}

std::string with_article(std::string_view noun) {
    constexpr std::string_view vowels = "AEIOUaeiou";
    const bool vowel = !noun.empty() && vowels.find(noun.front()) != std::string_view::npos;
    return fmt::format("{} {}", vowel ? "an" : "a", noun);
}

std::string one_of(std::span<const std::string_view> words) {
    std::string list;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) list += i + 1 == words.size() ? " or " : ", ";
        list += words[i];
    }
    return list;
}

std::size_t find_control_character(std::string_view utf8) {
    for (std::size_t at = 0; at < utf8.size(); ++at) {
        if (utf8[at] != '\n' && utf8[at] != '\t' && control_length(utf8, at) > 0) return at;
    }
    return std::string_view::npos;
}

std::size_t find_invalid_utf8(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text, at);
        if (length == 0) return at;
        at += length;
    }
    return std::string_view::npos;
}

}  // namespace left4me
