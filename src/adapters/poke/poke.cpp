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

Poked poke(const Paths& paths) {
    const auto address = address_of(paths);
    const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!address || !socket) return Poked::NoDaemon;
    const auto* const to = reinterpret_cast<const sockaddr*>(&*address);
    if (::sendto(socket.get(), "", 0, 0, to, sizeof *address) == 0) return Poked::Heard;
    if (errno == EAGAIN) return Poked::Heard;  // pokes are waiting there already: one is as good as many
    return errno == EACCES ? Poked::Refused : Poked::NoDaemon;
}

std::expected<PokeSocket, std::string> PokeSocket::listen(const Paths& paths, std::optional<gid_t> group) {
    const auto address = address_of(paths);
    const auto failed = [&] {
        return std::unexpected(fmt::format("{}: {}", paths.poke().string(), std::strerror(errno)));
    };
    if (!address) return std::unexpected(fmt::format("{}: the path is too long", paths.poke().string()));
    Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!socket) return failed();
    if (::unlink(address->sun_path) != 0 && errno != ENOENT) return failed();
    const auto* const at = reinterpret_cast<const sockaddr*>(&*address);
    // unix(7): the file is made with the socket's own mode, so that it is never open to others for a moment.
    if (::fchmod(socket.get(), 0600) != 0) return failed();
    if (::bind(socket.get(), at, sizeof *address) != 0) return failed();
    // The directory hands its group down (setgid): the daemon's sandbox allows no chown(2).
    struct stat status{};
    const bool given =
        group && ::lstat(address->sun_path, &status) == 0 &&
        (status.st_gid == *group || ::lchown(address->sun_path, static_cast<uid_t>(-1), *group) == 0);
    if (given && ::chmod(address->sun_path, 0660) != 0) return failed();
    return PokeSocket(std::move(socket));
}

bool PokeSocket::drain() {
    bool any = false;
    char ignored = 0;
    while (::recv(socket_.get(), &ignored, sizeof ignored, 0) >= 0) any = true;
    return any;
}

}  // namespace left4me
