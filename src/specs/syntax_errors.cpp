#include "specs/syntax_errors.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace left4me::yaml {
namespace {

/// The beginnings of yaml-cpp's messages (exceptions.h), and what an operator should do about them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 15> words{{
    {"end of map not found",
     "the indentation is inconsistent: the fields of one map must all begin in the same column"},
    {"end of map flow not found", "a `{` is not closed; a `}` or a comma is missing before this place"},
    {"end of sequence not found",
     "the list does not continue here: each item must begin with `- ` in the same column"},
    {"end of sequence flow not found", "a `[` is not closed; a `]` or a comma is missing before this place"},
    {"illegal map value",
     "a `:` is not expected here: put texts that contain `: ` in quotes, and check the indentation of this "
     "line"},
    {"illegal map key", "a field is not expected here; check the indentation of this line"},
    {"illegal block entry", "a `- ` is not expected here; check the indentation of this line"},
    {"illegal flow end", "a `]` or `}` closes nothing; remove it or open it before"},
    {"illegal EOF in scalar", "the document ends inside a quoted text; a closing quote is missing"},
    {"illegal document indicator in scalar",
     "the document ends inside a quoted text; a closing quote is missing"},
    {"unknown escape character",
     "this backslash means nothing in double quotes; write it twice, or use single quotes"},
    {"unknown token", "a text cannot begin with this character; put the text in quotes"},
    {"the referenced anchor is not defined",
     "this alias refers to an anchor that this document does not have"},
    {"alias not found after *", "a text cannot begin with `*` (it means an alias); put the text in quotes"},
    {"unexpected character in block scalar", "the text below a `|` or `>` begins on the next line"},
}};

/// A tab in the leading white space of the line that begins at `at`; npos if there is none.
std::size_t indenting_tab(std::string_view text, std::size_t at) {
    const std::size_t content = text.find_first_not_of(" \t", at);
    const std::size_t tab = text.find('\t', at);
    return tab != std::string_view::npos && (content == std::string_view::npos || tab < content)
               ? tab
               : std::string_view::npos;
}

/// yaml-cpp notices a tab in the indentation late and reports other errors: look for one just above the
/// error.
bool find_tab(std::string_view text, const Mark& error, Mark& tab_mark) {
    constexpr int reach = 2;
    bool found = false;
    std::size_t at = 0;
    for (int line = 0; line <= error.line && at < text.size(); ++line) {
        const std::size_t tab = indenting_tab(text, at);
        if (tab != std::string_view::npos && line + reach > error.line && !found) {
            tab_mark = {line, static_cast<int>(tab - at), tab};
            found = true;
        }
        const std::size_t newline = text.find('\n', at);
        if (newline == std::string_view::npos) break;
        at = newline + 1;
    }
    return found;
}

}  // namespace

Problem syntax_problem(std::string_view text, const Mark& mark, std::string_view message) {
    if (Mark tab; find_tab(text, mark, tab)) {
        return {Rule::TabIndentation, tab, "a tab is used for indentation; YAML requires spaces"};
    }
    for (const auto& [theirs, ours] : words) {
        if (!message.starts_with(theirs)) continue;
        const bool alias = theirs.starts_with("the referenced anchor");
        return {alias ? Rule::AliasUnknown : Rule::Syntax, mark, std::string(ours)};
    }
    return {Rule::Syntax, mark, fmt::format("this is not valid YAML: {}", message)};
}

}  // namespace left4me::yaml
