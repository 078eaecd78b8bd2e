// left4me-proxy: the only way out of the network of a script whose overlay says `network: Public`. It gets a
// socket that systemd has made inside that network, and connects from outside of it, to public addresses
// alone. It takes no argument. docs/decisions/0030-public-scripts.md
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "proxy/proxy.hpp"

namespace {

/// sd_listen_fds(3)
constexpr int first_socket = 3;

int fail(const std::string& message) {
    fmt::print(stderr, "left4me-proxy: {}\n", message);
    return 1;
}

/// Which network a socket is in. nullopt: the kernel does not say, which is older than 5.14.
std::optional<std::uint64_t> network_of(int socket) {
    std::uint64_t cookie = 0;
    socklen_t size = sizeof cookie;
    if (::getsockopt(socket, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &size) != 0) return std::nullopt;
    return cookie;
}

}  // namespace

int main(int argc, char** /*argv*/) {
    using namespace left4me;
    if (argc != 1) return fail("it takes no arguments");
    const char* const sockets = ::getenv("LISTEN_FDS");  // NOLINT(concurrency-mt-unsafe): there is one thread
    if (sockets == nullptr || std::string(sockets) != "1")
        return fail("it is started by left4me-proxy@.socket alone");
    const Fd listener(first_socket);
    const Fd own(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto inside = network_of(listener.get());
    const auto outside = network_of(own.get());
    // systemd goes on without a network of its own where a container does not permit one: this would be a
    // proxy for everybody on this host.
    if (!inside || !outside || *inside == *outside)
        return fail("the script has no network of its own: nothing is let through");
    const auto say = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
    return fail(proxy::serve(listener, proxy::judge_public, {}, say));
}
