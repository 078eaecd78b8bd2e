#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

namespace left4me {

/// An IPv4 address and a port, in the host's byte order.
struct Endpoint {
    std::uint32_t address = 0;
    std::uint16_t port = 0;

    auto operator<=>(const Endpoint&) const = default;
};

/// A socket that may be a game's. A game that was started again has another inode.
struct Listening {
    Endpoint at;  ///< address 0: on all addresses
    std::uint64_t inode = 0;

    auto operator<=>(const Listening&) const = default;
};

/// What /proc/net/udp or /proc/net/tcp (proc_net(5)) says of the unconnected sockets of this user: how many
/// bytes each has received that were not read yet. Lines that are not understood are left out. The game knows
/// only IPv4. At most `limit`.
std::map<Listening, std::size_t> listening_sockets(std::string_view table, std::uint32_t user,
                                                   std::size_t limit);

}  // namespace left4me
