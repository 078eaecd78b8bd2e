#pragma once

#include <optional>
#include <string>

namespace left4me {

/// The URL of a remote repository. No other transports are used, whatever libgit2 was built with.
struct RemoteUrl {
    enum class Scheme { Https, Ssh, File };
    Scheme scheme = Scheme::Https;
    std::string user;   ///< empty: not given
    std::string host;   ///< empty for File
    unsigned port = 0;  ///< 0: the scheme's own
    std::string path;
};

/// `https://host/path`, `ssh://user@host:22/path`, `user@host:path`, `file:///path`. nullopt: anything else,
/// and a URL with a password, because the configuration is not secret.
std::optional<RemoteUrl> parse_remote_url(const std::string& text);

}  // namespace left4me
