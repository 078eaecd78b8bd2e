#include "adapters/trigger/address.hpp"

#include <sys/socket.h>

#include <cstring>
#include <string>

namespace left4me {

std::optional<sockaddr_un> trigger_address(const Paths& paths) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const std::string path = paths.trigger().string();
    if (path.size() >= sizeof address.sun_path) return std::nullopt;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return address;
}

}  // namespace left4me
