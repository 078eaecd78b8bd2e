#pragma once

#include <filesystem>

#include "adapters/fd.hpp"
#include "adapters/readiness.hpp"

namespace left4me {

/// Reports that a file system was mounted or unmounted in the mount namespace of PID 1: its mountinfo then
/// polls with POLLERR and POLLPRI (proc(5)).
class MountWatch {
  public:
    explicit MountWatch(const std::filesystem::path& mountinfo);

    /// -1 when mountinfo cannot be opened.
    Readiness readiness() const { return {.fd = waited_for_.get(), .events = POLLPRI, .timeout = {}}; }
    /// True if something was mounted or unmounted since the last call. Call it again once readiness() is
    /// being waited for: epoll(7) does not report what happened before it was armed.
    bool drain();

  private:
    // Each open file remembers which state of the mount table it has reported, and a waiting epoll(7) counts
    // as a report. A later poll therefore needs an open file of its own.
    Fd waited_for_;
    Fd asked_;
};

}  // namespace left4me
