#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <string>

#include "adapters/fd.hpp"

namespace left4me::bench {

/// A child process; it is ended and reaped at the latest with this object. Never outlives its parent.
class Child {
  public:
    explicit Child(pid_t pid) : pid_(pid) {}
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() { end(); }

    void end();
    /// Waits until it ends by itself: whether it was successful.
    bool succeeded();

  private:
    pid_t pid_;
};

/// Our own message bus, which this process and its children use as the system bus. The sockets are in
/// `scratch`. Exits if there is no dbus-daemon.
class PrivateBus {
  public:
    explicit PrivateBus(const std::filesystem::path& scratch);

  private:
    Fd address_;
    Child daemon_;
};

/// The name of the server with this number.
std::string server_name(std::size_t index);

/// org.freedesktop.systemd1 with that many left4me-server@ units, all of them running, in a separate process.
/// It answers what left4me asks while there is nothing to do, and no more.
class FakeSystemd {
  public:
    explicit FakeSystemd(std::size_t servers);

    /// One unit's PropertiesChanged.
    void change(std::size_t index) const;

  private:
    Fd events_;
    Child service_;
};

/// An error that ends the benchmark.
[[noreturn]] void give_up(const std::string& why);

/// fork(2); the child dies with this process.
pid_t fork_child();

}  // namespace left4me::bench
