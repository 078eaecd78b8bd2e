#include "specs/remote_url.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace left4me {

namespace {

bool is_plain(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) > ' ' && static_cast<unsigned char>(c) < 0x7f;
    });
}

/// A word that cannot be taken for an option and needs no quoting.
bool is_word(std::string_view text) {
    return !text.empty() && text.front() != '-' && std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
               c == '-' || c == '_';
    });
}

/// `[user@]host[:port]`.
bool parse_authority(std::string_view text, RemoteUrl& url) {
    if (const std::size_t at = text.find('@'); at != std::string_view::npos) {
        url.user = text.substr(0, at);
        if (!is_word(url.user)) return false;
        text.remove_prefix(at + 1);
    }
    if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
        const std::string_view port = text.substr(colon + 1);
        const auto parsed = std::from_chars(port.data(), port.data() + port.size(), url.port);
        if (parsed.ec != std::errc() || parsed.ptr != port.data() + port.size() || url.port == 0 ||
            url.port > 65535) {
            return false;
        }
        text = text.substr(0, colon);
    }
    url.host = text;
    return is_word(url.host);
}

std::optional<RemoteUrl> parse_with_scheme(std::string_view rest, RemoteUrl url) {
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos || slash + 1 == rest.size()) return std::nullopt;
    url.path = rest.substr(slash);
    if (url.scheme == RemoteUrl::Scheme::File) return slash == 0 ? std::optional(url) : std::nullopt;
    if (!parse_authority(rest.substr(0, slash), url)) return std::nullopt;
    return url;
}

}  // namespace

std::optional<RemoteUrl> parse_remote_url(const std::string& text) {
    using Scheme = RemoteUrl::Scheme;
    if (!is_plain(text)) return std::nullopt;
    const std::string_view all = text;
    RemoteUrl url;
    for (const auto& [prefix, scheme] : {std::pair<std::string_view, Scheme>{"https://", Scheme::Https},
                                         {"ssh://", Scheme::Ssh},
                                         {"file://", Scheme::File}}) {
        if (!all.starts_with(prefix)) continue;
        url.scheme = scheme;
        return parse_with_scheme(all.substr(prefix.size()), url);
    }
    // scp syntax: user@host:path.
    const std::size_t colon = all.find(':');
    if (colon == std::string_view::npos || all.find("://") != std::string_view::npos ||
        all.find('@') > colon || colon + 1 == all.size()) {
        return std::nullopt;
    }
    url.scheme = Scheme::Ssh;
    url.path = all.substr(colon + 1);
    if (!parse_authority(all.substr(0, colon), url)) return std::nullopt;
    return url;
}

}  // namespace left4me
