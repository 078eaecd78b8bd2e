#pragma once

#include <string>
#include <string_view>

namespace left4me::git {

enum class HostKey {
    Known,        ///< the file has this key for this host
    Other,        ///< the file has the host, with other keys
    UnknownHost,  ///< the file does not have the host
    Revoked,      ///< the file says that this key must not be trusted
};

/// Looks up a host's key in the text of a known_hosts file (sshd(8)), with plain, pattern and hashed names.
/// `key` is the key's blob, in base64 as in the file.
HostKey look_up_host_key(std::string_view known_hosts, const std::string& host, unsigned port,
                         std::string_view key);

/// The lines without markers and comments, which libssh2 does not understand.
std::string plain_known_hosts(std::string_view known_hosts);

}  // namespace left4me::git
