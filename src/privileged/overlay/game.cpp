#include "privileged/overlay/game.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/nsfs.h>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <string_view>

#include "adapters/overlayfs/mounts.hpp"

namespace left4me::overlay {

namespace {

struct SystemctlResult {
    std::string text;
    int status = -1;
};

/// Runs systemctl instead of using the bus: every start of a server runs this program, and should not load
/// the bus library for a verb that is rarely used.
Result<SystemctlResult> ask_systemctl(std::string unit) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("a pipe");
    const Fd from(ends[0]);
    Fd into(ends[1]);
    std::string program = "/usr/bin/systemctl";
    std::string verb = "show";
    std::string properties = "--property=MainPID,ControlGroup";
    const std::array<char*, 5> words{program.data(), verb.data(), properties.data(), unit.data(), nullptr};
    std::string locale = "LC_ALL=C";
    const std::array<char*, 2> environment{locale.data(), nullptr};

    posix_spawn_file_actions_t actions{};
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, into.get(), STDOUT_FILENO);
    pid_t child = 0;
    errno = ::posix_spawn(&child, program.c_str(), &actions, nullptr, words.data(), environment.data());
    ::posix_spawn_file_actions_destroy(&actions);
    if (errno != 0) return system_failure(program);
    into.reset();

    SystemctlResult ended;
    std::array<char, 1024> buffer{};
    ssize_t got = 0;
    while ((got = ::read(from.get(), buffer.data(), buffer.size())) > 0 || (got < 0 && errno == EINTR)) {
        if (got > 0) ended.text.append(buffer.data(), static_cast<std::size_t>(got));
    }
    while (::waitpid(child, &ended.status, 0) < 0) {
        if (errno != EINTR) return system_failure(program);
    }
    return ended;
}

std::string_view value_of(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        if (!line.starts_with(name) || line.size() == name.size() || line[name.size()] != '=') continue;
        return line.substr(name.size() + 1);
    }
    return {};
}

/// Lines of /proc/PID/cgroup are HIERARCHY:CONTROLLERS:PATH, cgroups(7); systemd's own is 0:: or
/// 1:name=systemd:.
bool is_in(std::string_view lines, std::string_view cgroup) {
    while (!lines.empty()) {
        const std::size_t end = std::min(lines.find('\n'), lines.size());
        std::string_view line = lines.substr(0, end);
        lines.remove_prefix(std::min(end + 1, lines.size()));
        line.remove_prefix(std::min(line.find(':') + 1, line.size()));
        const bool systemds = line.starts_with(":") || line.starts_with("name=systemd:");
        line.remove_prefix(std::min(line.find(':') + 1, line.size()));
        if (systemds && (line == cgroup || (line.starts_with(cgroup) && line[cgroup.size()] == '/')))
            return true;
    }
    return false;
}

bool same_file(int one, int other) {
    struct stat first{};
    struct stat second{};
    return ::fstat(one, &first) == 0 && ::fstat(other, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

/// Whoever may mount in that namespace could show us an overlay of any name. ioctl_ns(2): NS_GET_USERNS
/// returns the user namespace that owns it; EPERM if that is outside our own.
Result<> check_namespace(const Game& game) {
    const Fd own(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
    const Fd own_users(::open("/proc/self/ns/user", O_RDONLY | O_CLOEXEC));
    if (!own || !own_users) return system_failure("/proc/self/ns");
    if (same_file(own.get(), game.mounts.get())) {
        return fail(Failure::System,
                    fmt::format("its main process {} has no mount namespace of its own", game.pid));
    }
    const Fd owner(::ioctl(game.mounts.get(), NS_GET_USERNS));
    if (!owner || !same_file(owner.get(), own_users.get())) {
        return fail(
            Failure::Refused,
            fmt::format("the mount namespace of its main process {} was not created by root", game.pid));
    }
    return {};
}

}  // namespace

bool Game::lives() const {
    // pidfd_open(2): readable once the process has ended.
    pollfd fd{.fd = process.get(), .events = POLLIN, .revents = 0};
    return ::poll(&fd, 1, 0) == 0;
}

Result<std::optional<Game>> open_game(pid_t pid, const std::string& cgroup) {
    Game game;
    game.pid = pid;
    game.process = Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!game.process && errno == ESRCH) return std::nullopt;
    if (!game.process) return system_failure(fmt::format("process {}", pid));
    const auto cgroups = read_mountinfo(fmt::format("/proc/{}/cgroup", pid));
    game.mounts = Fd(::open(fmt::format("/proc/{}/ns/mnt", pid).c_str(), O_RDONLY | O_CLOEXEC));
    const int number = errno;
    // ENOENT: it is about to exit. A process leaves its namespaces before its pidfd reports the exit
    // (kernel/exit.c, do_exit()).
    if (!game.mounts && number == ENOENT) return std::nullopt;
    // While the process behind the pidfd lives, its pid is not reused, so the data read belongs to this
    // process.
    if (!game.lives()) return std::nullopt;
    if (!cgroups) return fail(Failure::System, cgroups.error());
    if (!is_in(*cgroups, cgroup)) {
        return fail(Failure::Refused, fmt::format("process {} is not in the unit's cgroup {}", pid, cgroup));
    }
    errno = number;
    if (!game.mounts) return system_failure(fmt::format("the mount namespace of process {}", pid));
    if (auto checked = check_namespace(game); !checked) return std::unexpected(checked.error());
    return game;
}

Result<std::optional<Game>> find_game(const std::string& server) {
    const std::string unit = fmt::format("left4me-server@{}.service", server);
    const auto answer = ask_systemctl(unit);
    if (!answer) return std::unexpected(answer.error());
    if (answer->status != 0) return fail(Failure::System, fmt::format("systemctl cannot show {}", unit));
    const std::string_view number = value_of(answer->text, "MainPID");
    const std::string cgroup(value_of(answer->text, "ControlGroup"));
    pid_t pid = 0;
    std::from_chars(number.data(), number.data() + number.size(), pid);
    if (pid <= 0 || cgroup.empty()) return std::nullopt;
    return open_game(pid, cgroup);
}

}  // namespace left4me::overlay
