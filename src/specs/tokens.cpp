#include "specs/tokens.hpp"

#include <algorithm>

namespace left4me {

std::size_t behind_properties(std::string_view text, std::size_t at) {
    while (at < text.size() && (text[at] == '&' || text[at] == '!')) {
        at = std::min(text.find_first_of(" \t", at), text.size());
        at = std::min(text.find_first_not_of(" \t", at), text.size());
    }
    return at;
}

std::size_t behind_quotes(std::string_view text, std::size_t at) {
    const char quote = text[at];
    for (++at; at < text.size(); ++at) {
        if (quote == '"' && text[at] == '\\') {
            ++at;
        } else if (text[at] == quote) {
            if (quote == '"' || !text.substr(at + 1).starts_with('\'')) return at + 1;
            ++at;
        }
    }
    return std::string_view::npos;
}

}  // namespace left4me
