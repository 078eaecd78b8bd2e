#pragma once

#include <sys/socket.h>

#include <array>
#include <expected>
#include <optional>
#include <string>
#include <string_view>

namespace left4me {

/// A range of IPv4 or IPv6 addresses.
class Network {
  public:
    /// "10.0.0.0/8", "fd00::/8", or an address alone. nullopt: it is neither.
    static std::optional<Network> parse(std::string_view text);

    /// An IPv4 address that is written as IPv6 (::ffff:0:0/96) counts as what it is.
    bool contains(const sockaddr& address) const;

  private:
    friend bool is_public(const sockaddr& address);
    friend std::expected<bool, int> is_of_this_host(const sockaddr& address);

    using Bytes = std::array<unsigned char, 16>;
    /// IPv4 as ::ffff:A.B.C.D. nullopt: another family.
    static std::optional<Bytes> bytes_of(const sockaddr& address);
    bool contains(const Bytes& address) const;

    Bytes prefix_{};
    unsigned bits_ = 0;  ///< of prefix_
};

/// Whether an address belongs to the public internet: not one of those that the IANA registries of
/// special-purpose addresses (RFC 6890) say are not globally reachable, nor multicast, nor an IPv6 address
/// that carries an IPv4 address (6to4, Teredo, NAT64): what is behind those cannot be told.
bool is_public(const sockaddr& address);

/// Whether an interface of this host has the address now. The error is an errno.
std::expected<bool, int> is_of_this_host(const sockaddr& address);

/// As people write it, without a port.
std::string address_text(const sockaddr& address);

}  // namespace left4me
