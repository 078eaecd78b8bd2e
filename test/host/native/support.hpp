#pragma once

#include <sys/types.h>

#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "adapters/systemd/bus.hpp"

/// For programs that run as root inside a test host (never on a machine that somebody needs).
namespace left4me::host {

struct CommandResult {
    int status = -1;
    std::string output;  ///< both streams
};
CommandResult run(const std::string& shell_command);

/// `systemctl show` of the server's unit.
std::string property(const std::string& server, const std::string& name);
std::string unit(const std::string& server);
/// Whether its main process has set a trap for SIGINT.
bool traps_interrupts(const std::string& server);

void write(const std::filesystem::path& file, const std::string& text);

/// Checks every few milliseconds until `holds`, for at most `seconds`.
bool eventually(const std::function<bool()>& holds, int seconds = 60);

struct Answer {
    std::string name, job, error;
};
using Answers = std::expected<std::vector<Answer>, BusError>;

/// Calls the helper with exactly these names, without checks before the helper.
Answers ask(const char* method, const std::vector<std::string>& names);
/// The same from a process of another user; only the number of answers and the errors come back.
Answers ask_as(uid_t user, const char* method, const std::vector<std::string>& names);

std::vector<std::string> numbered(const std::string& prefix, int count);

/// Servers whose units keep the template's sandbox but run what a test says, without an overlay (ExecStopPost
/// is true). Whatever a test leaves of them (enabled, masked, running) is cleaned up.
class PlainServers {
  public:
    PlainServers() = default;
    PlainServers(const PlainServers&) = delete;
    PlainServers& operator=(const PlainServers&) = delete;
    ~PlainServers();

    /// `service` are additional lines of [Service], e.g. "ExecStart=/bin/false".
    void add(const std::string& server, const std::string& service = "ExecStart=/usr/bin/sleep infinity");
    void add_all(const std::vector<std::string>& servers,
                 const std::string& service = "ExecStart=/usr/bin/sleep infinity");

  private:
    std::vector<std::string> servers_;
};

/// Servers with everything real: layers, the mount program, the launcher. The game is `script`, run by sh; it
/// is in the instance layer, so the installation is not changed.
class RealServers {
  public:
    RealServers() = default;
    RealServers(const RealServers&) = delete;
    RealServers& operator=(const RealServers&) = delete;
    ~RealServers();

    void add(const std::string& server, const std::string& script = "exec sleep infinity");
    static std::filesystem::path runtime(const std::string& server);

  private:
    std::vector<std::string> servers_;
};

bool is_mounted(const std::string& server);

}  // namespace left4me::host
