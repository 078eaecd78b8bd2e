#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "adapters/paths.hpp"

namespace left4me {

/// The lock for passes (daemon, timer, CLI). Held until destroyed; the kernel releases it when the process
/// dies.
class PassLock {
  public:
    /// Deciding takes milliseconds, seconds where there are a thousand servers: nothing to speak of.
    static constexpr std::chrono::seconds worth_telling{1};

    /// Waits for the lock. `waiting` is called once if that takes a while, with as much as is certain of who
    /// holds it: "l4d2ctl reconcile, pid 4711", "pid 4711" or "another process".
    static std::expected<PassLock, std::string> acquire(
        const Paths& paths, const std::string& purpose,
        const std::function<void(const std::string&)>& waiting);
    /// Does not wait: nullopt if somebody holds it.
    static std::expected<std::optional<PassLock>, std::string> try_acquire(const Paths& paths,
                                                                           const std::string& purpose);
    /// As much as is certain of who holds it; see acquire().
    static std::string holder(const Paths& paths);
    /// The lock for editing manifests. It is separate, so that edits need not wait until a server has
    /// stopped. To hold both, take this one second.
    static std::expected<PassLock, std::string> acquire_for_edit(
        const Paths& paths, const std::string& purpose,
        const std::function<void(const std::string&)>& waiting);
    PassLock(PassLock&& other) noexcept;
    PassLock& operator=(PassLock&& other) noexcept;
    ~PassLock();

  private:
    explicit PassLock(int fd) : fd_(fd) {}
    static std::expected<PassLock, std::string> acquire_file(
        const std::filesystem::path& path, const std::string& purpose,
        const std::function<void(const std::string&)>& waiting);

    int fd_ = -1;
};

}  // namespace left4me
