#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace left4me::ctl {

enum class Paint { Plain, Bold, Dim, Green, Yellow, Red };

/// One output stream: whether a person reads it, and its width.
struct Terminal {
    bool person = false;     ///< it is a terminal: progress, ticks and timings make sense
    bool colour = false;     ///< and neither NO_COLOR nor a dumb terminal forbids it
    std::size_t width = 80;  ///< in columns: from COLUMNS, else the window's; unlimited for files
    std::size_t height = 0;  ///< in lines; 0: unlimited, or unknown

    static Terminal of(int fd);
    /// `text` between the escapes of `paint`, or unchanged.
    std::string paint(Paint paint, std::string_view text) const;
};

/// Columns of a text: a UTF-8 sequence counts once.
std::size_t display_width(std::string_view text);

/// The text truncated to `width` columns with an ellipsis, never inside a character.
std::string shorten(std::string_view text, std::size_t width);

struct Cell {
    std::string text;
    Paint paint = Paint::Plain;
};

/// A narrower window gets fewer columns, closer together.
inline constexpr std::size_t roomy = 100;

/// The titles of a table's columns.
std::vector<Cell> heading(const std::vector<std::string>& titles);

/// Rows with aligned columns, two or three spaces between them; the last column is truncated to the width of
/// the terminal. Every row has as many cells as the first.
std::string table(const std::vector<std::vector<Cell>>& rows, const Terminal& terminal);

/// An empty line, a title and, indented below it, the text. Nothing if there is no text.
std::string section(const std::string& title, std::string_view text, const Terminal& terminal);

/// `text` in the character set of the terminal `fd`: characters that it lacks become something similar, or
/// `?`. UTF-8 terminals, files and programs get the text unchanged.
std::string for_locale(std::string_view text, int fd);

/// printable(), except that the colours of Terminal::paint() stay: the last step before a text reaches a
/// terminal.
std::string fit_for_terminal(std::string_view text);

}  // namespace left4me::ctl
