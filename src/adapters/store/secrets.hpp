#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <string>
#include <string_view>

#include "adapters/paths.hpp"

namespace left4me::store {

inline constexpr std::size_t max_secret_bytes = 4096;

/// Why servers cannot be given such a text ("is empty"); nullptr: they can.
const char* unusable_secret(std::string_view text);

/// The files of /etc/left4me/secrets, each read at most once per object.
class Secrets {
  public:
    explicit Secrets(const Paths& paths) : directory_(paths.secrets()), key_file_(paths.status() / "key") {}

    /// The text without the newline at its end. Errors name the file and the remedy, never the text.
    std::expected<std::string, std::string> lookup(const std::string& file);

    /// This host's random key, created when it is first needed. A rendering's digest is public (mountinfo
    /// shows it). If it depends on a secret, the key prevents testing passwords against it.
    std::expected<std::string, std::string> key();

  private:
    std::filesystem::path directory_;
    std::filesystem::path key_file_;
    std::map<std::string, std::expected<std::string, std::string>> known_;
    std::string key_;
};

}  // namespace left4me::store
