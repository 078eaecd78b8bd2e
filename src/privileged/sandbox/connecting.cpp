#include "privileged/sandbox/connecting.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

namespace left4me::sandbox {

namespace {

/// pidfd_open(2) takes processes, but the caller is a thread.
pid_t process_of(int processes, pid_t thread) {
    const Fd file(::openat(processes, fmt::format("{}/status", thread).c_str(), O_RDONLY | O_CLOEXEC));
    std::array<char, 1024> buffer{};
    const ssize_t got = file ? ::read(file.get(), buffer.data(), buffer.size()) : -1;
    if (got <= 0) return -1;
    const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
    // The preceding name contains no line feeds: the kernel escapes them.
    constexpr std::string_view label = "\nTgid:\t";
    const std::size_t at = text.find(label);
    pid_t found = -1;
    if (at != std::string_view::npos)
        (void)std::from_chars(text.data() + at + label.size(), text.data() + text.size(), found);
    return found;
}

int option(const Fd& socket, int name) {
    int value = -1;
    socklen_t size = sizeof(value);
    return ::getsockopt(socket.get(), SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

template <typename Address>
Address as(const sockaddr_storage& from) {
    Address address{};
    std::memcpy(&address, &from, sizeof(address));
    return address;
}

template <typename Address>
sockaddr* generic(Address& address) {
    return reinterpret_cast<sockaddr*>(&address);
}

/// The kernel routes packets to an address of this host through loopback, so the source address is the same.
template <typename Address>
bool is_own(Address address, const void* host, std::size_t size, const void* (*host_of)(const Address&)) {
    const Fd probe(::socket(generic(address)->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    Address source{};
    socklen_t length = sizeof(source);
    if (!probe || ::connect(probe.get(), generic(address), sizeof(address)) != 0 ||
        ::getsockname(probe.get(), generic(source), &length) != 0)
        return false;
    return std::memcmp(host, host_of(source), size) == 0;
}

bool is_own_v4(sockaddr_in to) {
    const std::uint32_t host = ntohl(to.sin_addr.s_addr);
    // For connect(2), 0.0.0.0 is this host.
    if (host == 0 || host >> 24U == IN_LOOPBACKNET) return true;
    if (to.sin_port == 0) to.sin_port = htons(1);
    return is_own<sockaddr_in>(to, &to.sin_addr, sizeof(to.sin_addr),
                               [](const sockaddr_in& one) -> const void* { return &one.sin_addr; });
}

bool is_own_v6(sockaddr_in6 to) {
    if (IN6_IS_ADDR_UNSPECIFIED(&to.sin6_addr) || IN6_IS_ADDR_LOOPBACK(&to.sin6_addr)) return true;
    if (IN6_IS_ADDR_V4MAPPED(&to.sin6_addr)) {
        sockaddr_in narrow{};
        narrow.sin_family = AF_INET;
        narrow.sin_port = to.sin6_port;
        std::memcpy(&narrow.sin_addr, &to.sin6_addr.s6_addr[12], sizeof(narrow.sin_addr));
        return is_own_v4(narrow);
    }
    if (to.sin6_port == 0) to.sin6_port = htons(1);
    return is_own<sockaddr_in6>(to, &to.sin6_addr, sizeof(to.sin6_addr),
                                [](const sockaddr_in6& one) -> const void* { return &one.sin6_addr; });
}

}  // namespace

std::expected<Fd, int> take_socket(int processes, pid_t caller, int descriptor) {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, process_of(processes, caller), 0)));
    if (!process) return std::unexpected(EPERM);
    Fd taken(static_cast<int>(::syscall(SYS_pidfd_getfd, process.get(), descriptor, 0)));
    if (!taken) return std::unexpected(errno);
    // Also for descriptors that are no sockets or only name a file: connect(2) would return the same error.
    if (option(taken, SO_TYPE) < 0) return std::unexpected(errno);
    return taken;
}

bool can_take_sockets() {
    const Fd process(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
    // EBADF: there is no such descriptor, but the call itself works.
    return process && ::syscall(SYS_pidfd_getfd, process.get(), -1, 0) < 0 && errno == EBADF;
}

bool is_closed(const sockaddr_storage& to, const std::set<std::uint16_t>& ports) {
    if (to.ss_family == AF_INET) {
        const auto address = as<sockaddr_in>(to);
        return !ports.contains(ntohs(address.sin_port)) && is_own_v4(address);
    }
    if (to.ss_family == AF_INET6) {
        const auto address = as<sockaddr_in6>(to);
        return !ports.contains(ntohs(address.sin6_port)) && is_own_v6(address);
    }
    // AF_UNSPEC dissolves a connection; other families have no ports.
    return false;
}

bool makes_connections(const Fd& socket) {
    const int family = option(socket, SO_DOMAIN);
    return (family == AF_INET || family == AF_INET6) && option(socket, SO_TYPE) != SOCK_DGRAM;
}

int connect_from(int processes, pid_t caller, const Fd& socket, const sockaddr_storage& to, socklen_t size) {
    sockaddr_storage copy = to;
    const auto local = as<sockaddr_un>(to);
    const bool relative = to.ss_family == AF_UNIX && size > offsetof(sockaddr_un, sun_path) &&
                          local.sun_path[0] != '\0' && local.sun_path[0] != '/';
    if (relative) {
        const Fd there(::openat(processes, fmt::format("{}/cwd", caller).c_str(), O_PATH | O_CLOEXEC));
        if (!there || ::fchdir(there.get()) != 0) return errno;
    }
    const int error = ::connect(socket.get(), generic(copy), size) == 0 ? 0 : errno;
    if (relative && ::chdir("/") != 0) return errno;
    return error;
}

}  // namespace left4me::sandbox
