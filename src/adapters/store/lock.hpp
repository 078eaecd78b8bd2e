#pragma once

#include <chrono>
#include <expected>
#include <functional>
#include <string>

#include "adapters/paths.hpp"

namespace left4me {

/// The one lock under which passes run (daemon, timer, CLI). Held until destroyed; the kernel lets go of it
/// when the process dies, however it dies.
class PassLock {
  public:
    /// Waits for the lock. `waiting` is called once, with who holds it ("l4d2ctl reconcile, pid 4711"), if it
    /// is taken.
    static std::expected<PassLock, std::string> acquire(
        const Paths& paths, const std::string& purpose,
        const std::function<void(const std::string&)>& waiting);
    PassLock(PassLock&& other) noexcept;
    PassLock& operator=(PassLock&& other) noexcept;
    ~PassLock();

  private:
    explicit PassLock(int fd) : fd_(fd) {}
    int fd_ = -1;
};

}  // namespace left4me
