#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace left4me::proxy {

/// What a client asks an HTTP proxy for.
struct Request {
    std::string host;     ///< a name or an address, without brackets; not looked up yet
    std::string port;     ///< 1 to 65535
    std::string forward;  ///< what the destination gets first: the request as it expects it. Empty: CONNECT,
                          ///< which is answered, and then the client speaks to the destination itself
};

/// The lines up to and with the empty one.
inline constexpr std::size_t max_head = 16UL * 1024;

/// The length of the head at the beginning of `text`; 0: it is not whole yet.
std::size_t head_length(std::string_view text);

/// `CONNECT HOST:PORT`, or `METHOD http://HOST[:PORT]/PATH`; RFC 9112, 3.2. The destination of the second is
/// asked to close the connection after its answer, so that a client makes a new one for each host. The error
/// is what is wrong.
std::expected<Request, std::string> parse_request(std::string_view head);

}  // namespace left4me::proxy
