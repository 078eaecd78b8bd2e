#pragma once

#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace left4me {

/// What `arguments` and `config` may say about the server they end up in: `${name}`, `${port}` and (config
/// only)
/// `${secret:FILE}`. Nothing else is special: a `$` alone stays, and `$${` gives a literal `${`.
/// One piece of such a text; the pieces together are the whole text.
struct Piece {
    enum class Kind { Text, Escape, Name, Port, Secret, Unknown, Unterminated };
    Kind kind = Kind::Text;
    std::string_view source;  ///< as written
    std::string_view inner;   ///< FILE of a secret, what stands between the braces of an unknown one
};

/// Never fails: what load() refuses comes back as Unknown or Unterminated.
std::vector<Piece> placeholder_pieces(std::string_view text);

/// Of `arguments`: the word as the game gets it. A secret is never put there (argv is public); load() refuses
/// it.
std::string expand_argument(std::string_view text, std::string_view name, std::uint16_t port);

/// Of `config`: `${name}` and `${port}` are replaced; `${secret:FILE}` and `$${` still stand and wait for
/// substitute_secrets(), so that nothing a secret contains is ever taken for a placeholder.
std::string expand_config(std::string_view text, std::string_view name, std::uint16_t port);

/// The secret files that a text of expand_config() asks for; each once, in order of appearance.
std::vector<std::string> secrets_in(std::string_view text);

using SecretLookup = std::function<std::expected<std::string, std::string>(const std::string& file)>;

/// Finishes a text of expand_config(). The error is the first one of `lookup`.
std::expected<std::string, std::string> substitute_secrets(std::string_view text, const SecretLookup& lookup);

/// `[A-Za-z0-9._-]+`, at most 64 characters, not starting with a dot: one plain file in the directory of
/// secrets.
bool is_valid_secret_file(std::string_view file);

}  // namespace left4me
