#include "adapters/network.hpp"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstring>
#include <memory>
#include <string>
#include <system_error>

namespace left4me {

namespace {

constexpr unsigned all_bits = 128;
constexpr unsigned mapped_bits = 96;
constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

constexpr std::array not_public{// RFC 6890 and its updates.
                                "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16",
                                "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24",
                                "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
                                // Multicast; reserved, with the broadcast address.
                                "224.0.0.0/4", "240.0.0.0/4"};
/// Within 2000::/3, which is all that is allocated.
constexpr std::array not_public_6{"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"};
constexpr const char* allocated_6 = "2000::/3";

}  // namespace

std::optional<Network> Network::parse(std::string_view text) {
    const std::size_t slash = text.find('/');
    const std::string address(text.substr(0, slash));
    Network network;
    unsigned most = all_bits;
    if (::inet_pton(AF_INET, address.c_str(), &network.prefix_[mapped.size()]) == 1) {
        std::copy(mapped.begin(), mapped.end(), network.prefix_.begin());
        most = all_bits - mapped_bits;
    } else if (::inet_pton(AF_INET6, address.c_str(), network.prefix_.data()) != 1) {
        return std::nullopt;
    }
    unsigned length = most;
    if (slash != std::string_view::npos) {
        const std::string_view digits = text.substr(slash + 1);
        const auto [end, error] = std::from_chars(digits.begin(), digits.end(), length);
        if (error != std::errc() || end != digits.end() || length > most) return std::nullopt;
    }
    network.bits_ = length + all_bits - most;
    return network;
}

std::optional<Network::Bytes> Network::bytes_of(const sockaddr& address) {
    Bytes bytes{};
    if (address.sa_family == AF_INET) {
        sockaddr_in ip{};
        std::memcpy(&ip, &address, sizeof ip);
        std::copy(mapped.begin(), mapped.end(), bytes.begin());
        std::memcpy(&bytes[mapped.size()], &ip.sin_addr, sizeof ip.sin_addr);
    } else if (address.sa_family == AF_INET6) {
        sockaddr_in6 ip{};
        std::memcpy(&ip, &address, sizeof ip);
        std::memcpy(bytes.data(), &ip.sin6_addr, sizeof ip.sin6_addr);
    } else {
        return std::nullopt;
    }
    return bytes;
}

bool Network::contains(const Bytes& address) const {
    constexpr unsigned byte = 8;
    for (unsigned bit = 0; bit < bits_; ++bit) {
        const auto mask = static_cast<unsigned char>(0x80U >> (bit % byte));
        if (((address.at(bit / byte) ^ prefix_.at(bit / byte)) & mask) != 0) return false;
    }
    return true;
}

bool Network::contains(const sockaddr& address) const {
    const auto bytes = bytes_of(address);
    return bytes && contains(*bytes);
}

bool is_public(const sockaddr& address) {
    const auto bytes = Network::bytes_of(address);
    if (!bytes) return false;
    const auto in = [&bytes](const char* network) { return Network::parse(network)->contains(*bytes); };
    if (std::equal(mapped.begin(), mapped.end(), bytes->begin()))
        return std::none_of(not_public.begin(), not_public.end(), in);
    return in(allocated_6) && std::none_of(not_public_6.begin(), not_public_6.end(), in);
}

std::expected<bool, int> is_of_this_host(const sockaddr& address) {
    const auto bytes = Network::bytes_of(address);
    if (!bytes) return std::unexpected(EAFNOSUPPORT);
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return std::unexpected(errno);
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> all(first, &::freeifaddrs);
    for (const ifaddrs* one = first; one != nullptr; one = one->ifa_next) {
        if (one->ifa_addr != nullptr && Network::bytes_of(*one->ifa_addr) == bytes) return true;
    }
    return false;
}

std::string address_text(const sockaddr& address) {
    std::array<char, INET6_ADDRSTRLEN> text{};
    const void* ip = nullptr;
    if (address.sa_family == AF_INET) ip = &reinterpret_cast<const sockaddr_in&>(address).sin_addr;
    if (address.sa_family == AF_INET6) ip = &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr;
    if (ip == nullptr || ::inet_ntop(address.sa_family, ip, text.data(), text.size()) == nullptr)
        return "an address of an unknown family";
    return text.data();
}

}  // namespace left4me
