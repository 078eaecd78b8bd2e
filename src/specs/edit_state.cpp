#include <fmt/format.h>

#include <algorithm>

#include "specs/documents.hpp"
#include "specs/edit.hpp"
#include "specs/tokens.hpp"
#include "specs/yaml.hpp"

namespace left4me {
namespace {

using yaml::Entry;
using yaml::Node;

struct Token {
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// The text of a one-word scalar or an alias; nullopt for anything that is not safe to edit.
std::optional<Token> token_of(std::string_view text, const Node& scalar) {
    const std::size_t begin = behind_properties(text, scalar.mark.offset);
    if (begin >= text.size()) return std::nullopt;
    if (text[begin] == '"' || text[begin] == '\'') {
        const std::size_t end = behind_quotes(text, begin);
        if (end == std::string_view::npos) return std::nullopt;
        return Token{begin, end};
    }
    if (text[begin] == '*') {
        return Token{begin, std::min(text.find_first_of(" \t\r\n,]}", begin), text.size())};
    }
    if (!text.substr(begin).starts_with(scalar.text)) return std::nullopt;
    return Token{begin, begin + scalar.text.size()};
}

/// Inserts `state: VALUE` after the entry of a map, in the style of that map. The entry's value is one word,
/// e.g. a port.
std::optional<std::string> insert_behind(std::string_view text, const Node& map, const Entry& entry,
                                         std::string_view value) {
    const std::optional<Token> token = token_of(text, *entry.value);
    if (!token) return std::nullopt;
    std::string result(text);
    if (map.flow) {
        // JSON needs quotes.
        const bool json = text.substr(entry.mark.offset).starts_with('"');
        result.insert(token->end,
                      json ? fmt::format(", \"state\": \"{}\"", value) : fmt::format(", state: {}", value));
        return result;
    }
    const std::string indentation(static_cast<std::size_t>(entry.mark.column), ' ');
    const std::string line = fmt::format("{}state: {}", indentation, value);
    const std::string_view newline = line_ending(text);
    const std::size_t end_of_line = text.find('\n', token->end);
    if (end_of_line == std::string_view::npos) {
        result += fmt::format("{}{}", newline, line);
    } else {
        result.insert(end_of_line + 1, fmt::format("{}{}", line, newline));
    }
    return result;
}

std::optional<std::string> edited(std::string_view document, const Node& root, std::string_view value) {
    const Node* spec = root.get("spec");
    if (spec == nullptr) return std::nullopt;
    if (const Entry* state = spec->find("state")) {
        const std::optional<Token> token = token_of(document, *state->value);
        if (!token) return std::nullopt;
        std::string result(document);
        return result.replace(token->begin, token->end - token->begin, value);
    }
    const Entry* port = spec->find("port");
    if (port == nullptr) return std::nullopt;
    return insert_behind(document, *spec, *port, value);
}

/// Everything in a document except its `spec.state`, to verify that an edit changed nothing else.
std::string outline(const Node& node, bool in_spec = false) {
    std::string text = fmt::format("{}:{}", static_cast<int>(node.kind), node.text);
    for (const yaml::NodePtr& item : node.items) text += fmt::format("[{}]", outline(*item));
    for (const Entry& entry : node.entries) {
        if (in_spec && entry.key == "state") continue;
        text += fmt::format("{{{}={}}}", entry.key, outline(*entry.value, entry.key == "spec"));
    }
    return text;
}

/// Reads the edited text again, as the next pass will.
bool says(std::string_view document, const Node& before, std::string_view value) {
    const yaml::Document after = yaml::parse(document, {});
    if (after.root == nullptr || !after.problems.empty()) return false;
    const Node* spec = after.root->get("spec");
    const Node* state = spec == nullptr ? nullptr : spec->get("state");
    return state != nullptr && state->text == value && outline(*after.root) == outline(before);
}

}  // namespace

std::expected<std::string, std::string> set_state(std::string_view text, std::size_t document,
                                                  RunState state) {
    const std::vector<DocumentSpan> spans = split_documents(text);
    const std::string value = to_string(state);
    const auto refuse = [&] {
        return std::unexpected(
            fmt::format("the manifest is written in a way that cannot be edited safely; write `state: {}` "
                        "into its spec by hand",
                        value));
    };
    if (document >= spans.size()) return refuse();
    const DocumentSpan& span = spans[document];
    const std::string_view before = text.substr(span.begin, span.end - span.begin);
    const yaml::Document parsed = yaml::parse(before, {});
    if (parsed.root == nullptr || !parsed.problems.empty()) return refuse();
    const std::optional<std::string> after = edited(before, *parsed.root, value);
    if (!after || !says(*after, *parsed.root, value)) return refuse();
    std::string result(text.substr(0, span.begin));
    result += *after;
    return result += text.substr(span.end);
}

}  // namespace left4me
