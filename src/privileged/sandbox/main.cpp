// left4me-sandbox NAME: what a server's unit runs. It starts as root with three capabilities, creates the
// game's sandbox, starts the launcher in it, and stays outside of its PID namespace as the unit's main
// process. This replaces unit options of systemd: any option that creates a mount namespace reads the host's
// whole mount table, so with N overlays in it, N starts take time proportional to N squared; and systemd's
// system call settings are 23 filters per unit. docs/decisions/0006-own-sandbox.md, 0010-one-filter.md
#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>

#include "privileged/overlay/overlay.hpp"
#include "privileged/sandbox/connecting.hpp"
#include "privileged/sandbox/identity.hpp"
#include "privileged/sandbox/root.hpp"
#include "privileged/sandbox/server_dirs.hpp"
#include "privileged/sandbox/supervisor.hpp"

namespace {

using namespace left4me;
using overlay::Error;
using overlay::Failure;
using overlay::Owner;
using overlay::Result;

constexpr const char* game_user = "left4me-server";
constexpr const char* state = "/var/lib/left4me";
constexpr const char* launcher = LEFT4ME_LIBEXEC "/left4me-launch";

Result<Owner> find_game() {
    errno = 0;
    const passwd* user = ::getpwnam(game_user);  // NOLINT(concurrency-mt-unsafe): there is one thread
    if (user == nullptr || user->pw_uid == 0) {
        return overlay::fail(Failure::System,
                             fmt::format("there is no user {}; sysusers.d makes it", game_user));
    }
    return Owner{user->pw_uid, user->pw_gid};
}

/// Ports on this host that the game may connect to, from the unit's environment: numbers separated by spaces.
/// 53 (DNS) is always included.
Result<std::set<std::uint16_t>> loopback_ports() {
    std::set<std::uint16_t> ports{53};
    const char* given = std::getenv("LEFT4ME_LOOPBACK_PORTS");  // NOLINT(concurrency-mt-unsafe): one thread
    std::istringstream words(given != nullptr ? given : "");
    for (std::string word; words >> word;) {
        std::uint16_t port = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), port);
        if (error != std::errc{} || end != word.data() + word.size() || port == 0) {
            return overlay::fail(Failure::Usage,
                                 "LEFT4ME_LOOPBACK_PORTS must be port numbers separated by spaces");
        }
        ports.insert(port);
    }
    return ports;
}

/// From the unit's environment; without it, packets have no mark.
Result<std::optional<std::uint8_t>> wanted_dscp() {
    const char* given = std::getenv("LEFT4ME_DSCP");  // NOLINT(concurrency-mt-unsafe): there is one thread
    const std::string_view word = given != nullptr ? given : "";
    if (word.empty()) return std::nullopt;
    constexpr std::uint8_t max_dscp = 63;
    std::uint8_t dscp = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), dscp);
    if (error != std::errc{} || end != word.data() + word.size() || dscp > max_dscp)
        return overlay::fail(Failure::Usage, "LEFT4ME_DSCP must be a number from 0 to 63");
    return dscp;
}

Result<> enter(const std::string& server) {
    const auto game = find_game();
    if (!game) return std::unexpected(game.error());
    ::umask(0);
    if (auto done = sandbox::take_groups(*game); !done) return done;
    if (auto done = sandbox::leave_the_host(); !done) return done;
    {
        const auto dirs = sandbox::open_server_dirs(state, server, *game);
        if (!dirs) return std::unexpected(dirs.error());
        if (auto done = sandbox::enter_root(state, *dirs); !done) return done;
    }
    if (auto done = sandbox::become(*game); !done) return done;
    sandbox::stay_among_own();
    ::umask(022);
    return {};
}

/// Reading another process's memory as its parent needs 0 or 1 (Documentation/admin-guide/LSM/Yama.rst); no
/// file means no Yama.
Result<> check_yama() {
    constexpr const char* file = "/proc/sys/kernel/yama/ptrace_scope";
    int scope = 0;
    if (std::ifstream(file) >> scope && scope > 1) {
        return overlay::fail(
            Failure::System,
            fmt::format(
                "kernel.yama.ptrace_scope is {}: with more than 1, a 32-bit game would get no sockets",
                scope));
    }
    return {};
}

void warn(const char* text) {
    fmt::print(stderr, "left4me-sandbox: {}\n", text);
    std::fflush(stderr);
}

/// Warnings about settings of this host that weaken the sandbox.
void warn_of_holes(bool takes_sockets) {
    if (!takes_sockets) {
        warn(
            "this host forbids pidfd_getfd(2), so a game can connect to any port of this host; if this is a "
            "container, allow that call");
    }
    constexpr const char* file = "/proc/sys/net/ipv4/tcp_fastopen";
    constexpr unsigned of_clients = 1;  // Documentation/networking/ip-sysctl.rst
    unsigned fast_open = 0;
    if (std::ifstream(file) >> fast_open && (fast_open & of_clients) != 0) {
        warn(
            "net.ipv4.tcp_fastopen allows it to clients, so a game can connect to any port of this host; "
            "set it to 0, as left4me's file in sysctl.d does");
    }
}

Error run(const std::string& server) {
    // Check everything that can fail before changing anything.
    auto ports = loopback_ports();
    if (!ports) return ports.error();
    const auto dscp = wanted_dscp();
    if (!dscp) return dscp.error();
    if (auto checked = overlay::check_name(server); !checked) return checked.error();
    if (::geteuid() != 0) {
        return overlay::fail(Failure::System, "only root can; the server's unit does it").error();
    }
    if (auto checked = check_yama(); !checked) return checked.error();
    // Must happen before this process enters namespaces.
    const auto processes = sandbox::open_processes();
    if (!processes) return processes.error();
    if (const auto entered = enter(server); !entered) return entered.error();
    const sandbox::Rules rules{processes->get(), std::move(*ports), sandbox::can_take_sockets(), *dscp};
    warn_of_holes(rules.takes_sockets);
    return sandbox::supervise(rules, [&server] {
        ::execl("/bin/sh", "sh", launcher, server.c_str(), static_cast<char*>(nullptr));
        fmt::print(stderr, "left4me-sandbox: {}\n", overlay::system_failure(launcher).error().message);
        std::fflush(stderr);
        return static_cast<int>(Failure::System);
    });
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        fmt::print(stderr, "usage: left4me-sandbox NAME\n");
        return static_cast<int>(Failure::Usage);
    }
    const Error error = run(argv[1]);
    fmt::print(stderr, "left4me-sandbox: {}\n", error.message);
    return static_cast<int>(error.failure);
}
