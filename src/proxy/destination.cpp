#include "proxy/destination.hpp"

#include <fmt/format.h>
#include <netdb.h>

#include <cerrno>
#include <expected>
#include <memory>
#include <system_error>

#include "adapters/network.hpp"

namespace left4me::proxy {

namespace {

/// Of more, the rest is not tried.
constexpr int max_addresses = 8;

struct FreeAddresses {
    void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};

std::string message_of(int error) { return std::generic_category().message(error); }

/// The error is an errno.
std::expected<Fd, int> connect_one(const addrinfo& to, std::chrono::seconds patience) {
    Fd made(::socket(to.ai_family, to.ai_socktype | SOCK_CLOEXEC, to.ai_protocol));
    if (!made) return std::unexpected(errno);
    // Of connect(2), too; socket(7).
    const timeval limit{patience.count(), 0};
    (void)::setsockopt(made.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (::connect(made.get(), to.ai_addr, to.ai_addrlen) == 0) return made;
    return std::unexpected(errno == EINPROGRESS ? ETIMEDOUT : errno);
}

}  // namespace

std::string judge_public(const sockaddr& address) {
    if (!is_public(address)) return "is not public";
    const auto own = is_of_this_host(address);
    if (!own) return "cannot be compared with this host's addresses: " + message_of(own.error());
    return *own ? "is an address of this host" : "";
}

Attempt connect_to(const Request& request, const Judge& judge, std::chrono::seconds patience) {
    Attempt attempt;
    addrinfo wanted{};
    wanted.ai_socktype = SOCK_STREAM;
    wanted.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    if (const int r = ::getaddrinfo(request.host.c_str(), request.port.c_str(), &wanted, &found); r != 0) {
        attempt.failure = ::gai_strerror(r);
        return attempt;
    }
    const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
    int left = max_addresses;
    for (const addrinfo* to = found; to != nullptr && left > 0 && !attempt.socket; to = to->ai_next, --left) {
        const std::string address = address_text(*to->ai_addr);
        if (const std::string why = judge(*to->ai_addr); !why.empty()) {
            attempt.refused.push_back(fmt::format("{} {}", address, why));
            continue;
        }
        auto made = connect_one(*to, patience);
        if (made) {
            attempt.socket = std::move(*made);
            attempt.address = address;
        } else {
            attempt.failure = fmt::format("{}: {}", address, message_of(made.error()));
        }
    }
    return attempt;
}

}  // namespace left4me::proxy
