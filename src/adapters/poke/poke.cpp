#include "adapters/poke/poke.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

namespace left4me {
namespace {

/// nullopt: the path does not fit, unix(7).
std::optional<sockaddr_un> address_of(const Paths& paths) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = paths.poke().string();
    if (path.size() >= sizeof address.sun_path) return std::nullopt;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

}  // namespace

bool poke(const Paths& paths) {
    const auto address = address_of(paths);
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!address || !socket) return false;
    const auto* const to = reinterpret_cast<const sockaddr*>(&*address);
    if (::sendto(socket.get(), "", 0, 0, to, sizeof *address) == 0) return true;
    return errno == EAGAIN;  // pokes are waiting there already: one is as good as many
}

std::expected<PokeSocket, std::string> PokeSocket::listen(const Paths& paths) {
    const auto address = address_of(paths);
    const auto failed = [&] {
        return std::unexpected(fmt::format("{}: {}", paths.poke().string(), std::strerror(errno)));
    };
    if (!address) return std::unexpected(fmt::format("{}: the path is too long", paths.poke().string()));
    Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return failed();
    if (::unlink(address->sun_path) != 0 && errno != ENOENT) return failed();
    const auto* const at = reinterpret_cast<const sockaddr*>(&*address);
    if (::bind(socket.get(), at, sizeof *address) != 0) return failed();
    if (::chmod(address->sun_path, 0666) != 0) return failed();
    return PokeSocket(std::move(socket));
}

bool PokeSocket::drain() {
    bool any = false;
    char ignored = 0;
    while (::recv(socket_.get(), &ignored, sizeof ignored, 0) >= 0) any = true;
    return any;
}

}  // namespace left4me
