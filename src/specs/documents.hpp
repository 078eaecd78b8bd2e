#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace left4me {

/// One document within the text of a file. The spans of a file are adjacent and cover all of it except a byte
/// order mark.
struct DocumentSpan {
    std::size_t begin = 0;  ///< of the `---` line, if there is one
    /// Behind the `---` line; begin if there is none, or if content stands on that line.
    std::size_t body = 0;
    std::size_t end = 0;
    int line = 1;  ///< line number of begin, from 1
};

/// Splits at every line that begins with `---`, as YAML does, before any parsing: a mistake in one document
/// cannot hide those in others. Documents are counted by their place in this list, blank ones included.
std::vector<DocumentSpan> split_documents(std::string_view text);

/// Nothing but white space, comments and document markers: such a document is passed over.
bool is_blank(std::string_view document);

/// "\r\n" if the first line of the text ends so, else "\n".
std::string_view line_ending(std::string_view text);

/// Length of the byte order mark that some editors put in front, or 0.
std::size_t byte_order_mark(std::string_view text);

}  // namespace left4me
