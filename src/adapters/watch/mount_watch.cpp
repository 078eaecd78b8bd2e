#include "adapters/watch/mount_watch.hpp"

#include <fcntl.h>

namespace left4me {

MountWatch::MountWatch(const std::filesystem::path& mountinfo)
    : waited_for_(::open(mountinfo.c_str(), O_RDONLY | O_CLOEXEC)),
      asked_(::open(mountinfo.c_str(), O_RDONLY | O_CLOEXEC)) {}

bool MountWatch::drain() {
    if (!asked_) return false;
    // Polling alone records the state of the mount table; nothing has to be read.
    pollfd fd{.fd = asked_.get(), .events = POLLPRI, .revents = 0};
    return poll(&fd, 1, 0) == 1 && (fd.revents & (POLLERR | POLLPRI)) != 0;
}

}  // namespace left4me
