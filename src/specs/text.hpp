#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace left4me {

/// `text` in single quotes, safe for a terminal: characters that printable() replaces are escaped, long texts
/// are cut.
std::string in_quotes(std::string_view text);

/// Text from outside, safe for a terminal: every character that could control the terminal, or hide or
/// reorder text, becomes a '?'. These are the control characters (C0 except line feed and tab, DEL, C1), the
/// bidirectional and other invisible format characters of Unicode, and bytes that are not UTF-8 (a terminal
/// with 8-bit controls treats them as C1).
std::string printable(std::string_view text);
/// printable() for one line: line feeds and tabs become spaces.
std::string printable_line(std::string_view text);

/// The candidate that a person who typed `word` probably meant; "" if none is similar.
std::string_view closest(std::string_view word, std::span<const std::string_view> candidates);

/// "; did you mean 'port'?" for the result of closest(), "" if there is none.
std::string did_you_mean(std::string_view word, std::span<const std::string_view> candidates);

/// "a Server", "an Overlay".
std::string with_article(std::string_view noun);

/// "a, b or c".
std::string one_of(std::span<const std::string_view> words);

/// Offset of the first control character (C0 except line feed and tab, DEL, C1), npos if there is none.
std::size_t find_control_character(std::string_view utf8);

/// Offset of the first byte that is not part of well-formed UTF-8, npos if there is none.
std::size_t find_invalid_utf8(std::string_view text);

}  // namespace left4me
