#pragma once

#include <filesystem>

#include "adapters/fd.hpp"
#include "adapters/readiness.hpp"

namespace left4me {

/// Tells that a file system was mounted or unmounted in the mount namespace of PID 1: proc(5) says that its
/// mountinfo then polls with POLLERR and POLLPRI.
class MountWatch {
  public:
    explicit MountWatch(const std::filesystem::path& mountinfo);

    /// -1 when mountinfo cannot be opened.
    Readiness readiness() const { return {.fd = waited_for_.get(), .events = POLLPRI, .timeout = {}}; }
    /// True if something was mounted or unmounted since the last time. To be asked again once readiness() is
    /// waited for: epoll(7) says nothing of what happened before it was armed.
    bool drain();

  private:
    // Each open file remembers by itself which state of the mount table it has told of, and epoll(7) is told
    // while it waits: who asks afterwards needs one of his own.
    Fd waited_for_;
    Fd asked_;
};

}  // namespace left4me
