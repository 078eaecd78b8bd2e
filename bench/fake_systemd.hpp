#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "adapters/fd.hpp"

namespace left4me::bench {

/// A child process; ended, and waited for, at the latest with this object. Never outlives its parent.
class Child {
  public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() { end(); }

    void end();
    /// Waits for it to end by itself: whether it says that all is well.
    bool succeeded();

  private:
    pid_t pid_;
};

/// A message bus of our own, which this process and its children take for the system bus. The sockets lie in
/// `scratch`. Exits when there is no dbus-daemon.
class PrivateBus {
  public:
    explicit PrivateBus(const std::filesystem::path& scratch);

  private:
    Fd address_;
    Child daemon_;
};

/// What a manifest could call the server of this number.
std::string server_name(std::size_t index);

/// org.freedesktop.systemd1 with so many left4me-server@ units, all of them running, in a process of its own.
/// It answers what left4me asks while nothing has to be done, and no more.
class FakeSystemd {
  public:
    explicit FakeSystemd(std::size_t servers);

    /// One unit's PropertiesChanged.
    void change(std::size_t index) const;

  private:
    Fd events_;
    Child service_;
};

/// What no benchmark can go on after.
[[noreturn]] void give_up(const std::string& why);

/// fork(2); the child dies with this process.
pid_t fork_child();

}  // namespace left4me::bench
