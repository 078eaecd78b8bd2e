#include "specs/placeholders.hpp"

#include <algorithm>

namespace left4me {
namespace {

constexpr std::string_view escape = "$${";
constexpr std::string_view secret_prefix = "secret:";

/// `rest` begins with `${`.
PlaceholderToken read_placeholder(std::string_view rest) {
    // A placeholder is on one line: a missing brace must not swallow the following lines.
    const std::size_t end = rest.find_first_of("}\n");
    if (end == std::string_view::npos || rest[end] == '\n') {
        const std::size_t length = std::min(end, rest.size());
        return {PlaceholderToken::Kind::Unterminated, rest.substr(0, length), rest.substr(2, length - 2)};
    }
    const std::string_view source = rest.substr(0, end + 1);
    const std::string_view inner = rest.substr(2, end - 2);
    if (inner == "name") return {PlaceholderToken::Kind::Name, source, inner};
    if (inner == "port") return {PlaceholderToken::Kind::Port, source, inner};
    if (inner.starts_with(secret_prefix)) {
        return {PlaceholderToken::Kind::Secret, source, inner.substr(secret_prefix.size())};
    }
    return {PlaceholderToken::Kind::Unknown, source, inner};
}

}  // namespace

std::vector<PlaceholderToken> placeholder_tokens(std::string_view text) {
    std::vector<PlaceholderToken> tokens;
    std::size_t text_begin = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::string_view rest = text.substr(at);
        const bool escaped = rest.starts_with(escape);
        if (!escaped && !rest.starts_with("${")) {
            ++at;
            continue;
        }
        if (at > text_begin) {
            tokens.push_back({PlaceholderToken::Kind::Text, text.substr(text_begin, at - text_begin), {}});
        }
        tokens.push_back(
            escaped ? PlaceholderToken{PlaceholderToken::Kind::Escape, rest.substr(0, escape.size()), {}}
                    : read_placeholder(rest));
        at += tokens.back().source.size();
        text_begin = at;
    }
    if (text_begin < text.size())
        tokens.push_back({PlaceholderToken::Kind::Text, text.substr(text_begin), {}});
    return tokens;
}

namespace {

enum class Escapes { Keep, Resolve };

std::string expand(std::string_view text, std::string_view name, std::uint16_t port, Escapes escapes) {
    std::string expanded;
    for (const PlaceholderToken& token : placeholder_tokens(text)) {
        if (token.kind == PlaceholderToken::Kind::Name) {
            expanded += name;
        } else if (token.kind == PlaceholderToken::Kind::Port) {
            expanded += std::to_string(port);
        } else if (token.kind == PlaceholderToken::Kind::Escape && escapes == Escapes::Resolve) {
            expanded += "${";
        } else {
            expanded += token.source;
        }
    }
    return expanded;
}

}  // namespace

std::string expand_argument(std::string_view text, std::string_view name, std::uint16_t port) {
    return expand(text, name, port, Escapes::Resolve);
}

std::string expand_config(std::string_view text, std::string_view name, std::uint16_t port) {
    return expand(text, name, port, Escapes::Keep);
}

std::vector<std::string> secrets_in(std::string_view text) {
    std::vector<std::string> files;
    for (const PlaceholderToken& token : placeholder_tokens(text)) {
        if (token.kind != PlaceholderToken::Kind::Secret) continue;
        std::string file(token.inner);
        if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(std::move(file));
    }
    return files;
}

std::expected<std::string, std::string> substitute_secrets(std::string_view text,
                                                           const SecretLookup& lookup) {
    std::string finished;
    for (const PlaceholderToken& token : placeholder_tokens(text)) {
        if (token.kind == PlaceholderToken::Kind::Secret) {
            std::expected<std::string, std::string> secret = lookup(std::string(token.inner));
            if (!secret) return std::unexpected(std::move(secret.error()));
            finished += *secret;
        } else if (token.kind == PlaceholderToken::Kind::Escape) {
            finished += "${";
        } else {
            finished += token.source;
        }
    }
    return finished;
}

bool is_valid_secret_file(std::string_view file) {
    constexpr std::size_t max_length = 64;
    if (file.empty() || file.size() > max_length || file.front() == '.') return false;
    return std::all_of(file.begin(), file.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '_' || c == '-';
    });
}

}  // namespace left4me
