#include "specs/documents.hpp"

#include <algorithm>

namespace left4me {
namespace {

constexpr std::string_view white_space = " \t\r\n";

std::size_t next_line(std::string_view text, std::size_t at) {
    const std::size_t newline = text.find('\n', at);
    return newline == std::string_view::npos ? text.size() : newline + 1;
}

/// `---` or `...`, alone or followed by white space, at the beginning of `rest`.
bool is_marker(std::string_view rest, std::string_view marker) {
    if (!rest.starts_with(marker)) return false;
    return rest.size() == marker.size() || white_space.contains(rest[marker.size()]);
}

/// A line without content: blank or a comment.
bool is_blank_line(std::string_view line) {
    const std::size_t content = line.find_first_not_of(white_space);
    return content == std::string_view::npos || line[content] == '#';
}

}  // namespace

std::size_t byte_order_mark(std::string_view text) {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    return text.starts_with(mark) ? mark.size() : 0;
}

std::vector<DocumentSpan> split_documents(std::string_view text) {
    std::vector<DocumentSpan> spans;
    DocumentSpan span;
    span.begin = span.body = byte_order_mark(text);
    int line = 1;
    for (std::size_t at = span.begin; at < text.size(); at = next_line(text, at), ++line) {
        if (!is_marker(text.substr(at), "---")) continue;
        if (at > span.begin) {
            span.end = at;
            spans.push_back(span);
        }
        const std::size_t end_of_line = next_line(text, at);
        const bool content = !is_blank_line(text.substr(at + 3, end_of_line - at - 3));
        span = DocumentSpan{.begin = at, .body = content ? at : end_of_line, .line = line};
    }
    span.end = text.size();
    if (span.end > span.begin) spans.push_back(span);
    return spans;
}

bool is_blank(std::string_view document) {
    for (std::size_t at = 0; at < document.size(); at = next_line(document, at)) {
        std::string_view line = document.substr(at, next_line(document, at) - at);
        if (is_marker(line, "---") || is_marker(line, "...")) line.remove_prefix(3);
        if (!is_blank_line(line)) return false;
    }
    return true;
}

std::string_view line_ending(std::string_view text) {
    const std::size_t newline = text.find('\n');
    return newline != std::string_view::npos && newline > 0 && text[newline - 1] == '\r' ? "\r\n" : "\n";
}

}  // namespace left4me
