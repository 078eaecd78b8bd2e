#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace left4me::ctl {

enum class Paint { Plain, Bold, Dim, Green, Yellow, Red };

/// One output stream: whether a person looks at it, and how wide their window is.
struct Terminal {
    bool person = false;     ///< it is a terminal: progress, ticks and timings make sense
    bool colour = false;     ///< and neither NO_COLOR nor a dumb terminal says otherwise
    std::size_t width = 80;  ///< columns: what COLUMNS says, else the window's; of a file: unlimited

    static Terminal of(int fd);
    /// `text` between the escapes of `paint`, or as it is.
    std::string paint(Paint paint, std::string_view text) const;
};

/// Columns that a text takes: UTF-8 sequences count once.
std::size_t display_width(std::string_view text);

/// The text cut to `width` columns with an ellipsis, never inside a character.
std::string shorten(std::string_view text, std::size_t width);

struct Cell {
    std::string text;
    Paint paint = Paint::Plain;
};

/// A narrower window gets fewer columns, closer together.
inline constexpr std::size_t roomy = 100;

/// The titles of a table's columns.
std::vector<Cell> heading(const std::vector<std::string>& titles);

/// Rows with their columns aligned, two or three spaces between them; the last column is cut to the width of
/// the terminal. Every row has as many cells as the first.
std::string table(const std::vector<std::vector<Cell>>& rows, const Terminal& terminal);

/// A title and, indented below it, the text; an empty line above. Nothing when there is no text.
std::string section(const std::string& title, std::string_view text, const Terminal& terminal);

/// `text` in the character set of the terminal that `fd` is: what that cannot show becomes something similar,
/// or `?`. UTF-8 stays as it is, and so does everything that goes to a file or a program.
std::string for_locale(std::string_view text, int fd);

/// printable(), but the colours of Terminal::paint() stay: the last thing before a text reaches a terminal.
std::string fit_for_terminal(std::string_view text);

}  // namespace left4me::ctl
