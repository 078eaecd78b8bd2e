#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "descriptor.hpp"
#include "packets.hpp"

namespace standin::testing {

/// A game tree in a temporary directory, and the stand-in running from it.
class Process {
  public:
    Process();
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    void write(const std::string& path, const std::string& text) const;
    std::string read(const std::string& path) const;
    std::string output() const { return read("output"); }
    /// Starts with -norestart, -strictportbind and its port, and waits for `until` in its output. Throws with
    /// the output if that does not come.
    void start(const std::vector<std::string>& more = {}, const std::string& until = "Network: IP");
    void signal(int number) const;
    /// The wait status, or nothing if it still runs after `milliseconds`.
    std::optional<int> ended(int milliseconds);

    int port() const { return port_; }
    std::filesystem::path root() const { return root_; }

  private:
    std::filesystem::path root_;
    Descriptor reserved_;
    int port_ = 0;
    pid_t pid_ = -1;
};

/// One client, whose challenge stays the same.
class Asker {
  public:
    explicit Asker(int port);
    std::optional<std::string> ask(std::string_view request, int milliseconds = 2000) const;

  private:
    Descriptor socket_;
};

/// Sends one datagram and returns the answer; nothing if none came within `milliseconds`.
std::optional<std::string> exchange(int port, std::string_view request, int milliseconds = 2000);
std::optional<Info> info(int port, int milliseconds = 2000);
/// Sends the packets over one connection and returns those that came back before the connection became
/// silent.
std::vector<Rcon> console(int port, const std::vector<Rcon>& packets, std::size_t expected);

}  // namespace standin::testing
