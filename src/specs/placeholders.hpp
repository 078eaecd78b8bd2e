#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace left4me {

/// Placeholders in `arguments` and `config`: `${name}`, `${port}` and (in config only) `${secret:FILE}`.
/// Nothing else is special: a single `$` stays, and `$${` is a literal `${`.
///
/// One piece of such a text. The pieces together are the whole text.
struct PlaceholderToken {
    enum class Kind { Text, Escape, Name, Port, Secret, Unknown, Unterminated };
    Kind kind = Kind::Text;
    std::string_view source;  ///< as written
    std::string_view inner;   ///< FILE of a secret; the text between the braces of an unknown one
};

/// Never fails: what load() refuses is returned as Unknown or Unterminated.
std::vector<PlaceholderToken> placeholder_tokens(std::string_view text);

/// For `arguments`: the word as the game gets it. Secrets are never inserted (argv is public); load() refuses
/// them.
std::string expand_argument(std::string_view text, std::string_view name, std::uint16_t port);

/// For `config`: replaces `${name}` and `${port}`. `${secret:FILE}` and `$${` stay for substitute_secrets(),
/// so that the content of a secret is never treated as a placeholder.
std::string expand_config(std::string_view text, std::string_view name, std::uint16_t port);

/// The secret files that a text from expand_config() uses; each once, in order of appearance.
std::vector<std::string> secrets_in(std::string_view text);

using SecretLookup = std::function<std::expected<std::string, std::string>(const std::string& file)>;

/// Completes a text from expand_config(). The error is the first one of `lookup`.
std::expected<std::string, std::string> substitute_secrets(std::string_view text, const SecretLookup& lookup);

/// `[A-Za-z0-9._-]+`, at most 64 characters, not starting with a dot: one plain file in the directory of
/// secrets.
bool is_valid_secret_file(std::string_view file);

}  // namespace left4me
