#include "adapters/git/known_hosts.hpp"

#include <fmt/format.h>
#include <fnmatch.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

namespace left4me::git {

namespace {

std::vector<std::string_view> split(std::string_view text, std::string_view at) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t begin = std::min(text.find_first_not_of(at), text.size());
        text.remove_prefix(begin);
        const std::size_t end = std::min(text.find_first_of(at), text.size());
        if (end > 0) parts.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return parts;
}

std::optional<std::string> from_base64(std::string_view text) {
    if (text.empty() || text.size() % 4 != 0 || text.size() > 65536) return std::nullopt;
    std::string bytes(text.size() / 4 * 3, '\0');
    const int length =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    if (length < 0) return std::nullopt;
    const auto padding = static_cast<std::size_t>(std::count(text.end() - 2, text.end(), '='));
    bytes.resize(static_cast<std::size_t>(length) - padding);
    return bytes;
}

/// `|1|SALT|HASH`: HMAC-SHA1 of the name.
bool hashed_name_is(std::string_view hashed, const std::string& name) {
    const auto parts = split(hashed, "|");
    if (parts.size() != 3 || parts[0] != "1") return false;
    const auto salt = from_base64(parts[1]);
    const auto expected = from_base64(parts[2]);
    if (!salt || !expected) return false;
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    if (HMAC(EVP_sha1(), salt->data(), static_cast<int>(salt->size()),
             reinterpret_cast<const unsigned char*>(name.data()), name.size(), digest.data(),
             &length) == nullptr) {
        return false;
    }
    return *expected == std::string_view(reinterpret_cast<const char*>(digest.data()), length);
}

bool names_host(std::string_view patterns, const std::string& name) {
    bool named = false;
    for (const std::string_view word : split(patterns, ",")) {
        if (word.starts_with('|')) {
            named = named || hashed_name_is(word, name);
        } else if (word.starts_with('!')) {
            if (::fnmatch(std::string(word.substr(1)).c_str(), name.c_str(), 0) == 0) return false;
        } else if (word == name ||
                   (!word.starts_with('[') && ::fnmatch(std::string(word).c_str(), name.c_str(), 0) == 0)) {
            named = true;
        }
    }
    return named;
}

}  // namespace

std::string plain_known_hosts(std::string_view known_hosts) {
    std::string text;
    for (const std::string_view line : split(known_hosts, "\r\n")) {
        const auto words = split(line, " \t");
        if (words.size() < 3 || line.starts_with('#') || line.starts_with('@') || !from_base64(words[2]))
            continue;
        text += fmt::format("{} {} {}\n", words[0], words[1], words[2]);
    }
    return text;
}

HostKey look_up_host_key(std::string_view known_hosts, const std::string& host, unsigned port,
                         std::string_view key) {
    const std::string name = port == 0 || port == 22 ? host : fmt::format("[{}]:{}", host, port);
    HostKey result = HostKey::UnknownHost;
    for (const std::string_view line : split(known_hosts, "\r\n")) {
        auto words = split(line, " \t");
        if (words.empty() || words.front().starts_with('#')) continue;
        const bool revoked = words.front() == "@revoked";
        if (!revoked && words.front().starts_with('@'))
            continue;  // authorities: libssh2 does not support certificates
        if (revoked) words.erase(words.begin());
        if (words.size() < 3 || !names_host(words[0], name)) continue;
        const auto listed = from_base64(words[2]);
        const bool same = listed && *listed == key;
        if (revoked && same) return HostKey::Revoked;
        if (!revoked && same) result = HostKey::Known;
        if (!revoked && !same && result == HostKey::UnknownHost) result = HostKey::Other;
    }
    return result;
}

}  // namespace left4me::git
