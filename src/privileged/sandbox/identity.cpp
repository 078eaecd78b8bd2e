#include "privileged/sandbox/identity.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

namespace left4me::sandbox {

using overlay::fail;
using overlay::Failure;
using overlay::system_failure;

namespace {

constexpr unsigned long unused = 0;

using Capabilities = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

Result<> set_capabilities(std::uint32_t low) {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    Capabilities data{};
    data[0].effective = data[0].permitted = low;
    if (::syscall(SYS_capset, &header, data.data()) != 0) return system_failure("capabilities");
    return {};
}

Result<> write_to(const char* path, const std::string& text) {
    const Fd file(::open(path, O_WRONLY | O_CLOEXEC));
    if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
        return system_failure(path);
    return {};
}

/// Only the game's own user and group exist inside; files of all others belong to nobody.
Result<> enter_user_namespace(Owner game) {
    if (::unshare(CLONE_NEWUSER) != 0) return system_failure("a user namespace");
    // Changing the user made /proc/self owned by root.
    if (::prctl(PR_SET_DUMPABLE, 1, unused, unused, unused) != 0) return system_failure("dumpable");
    if (auto done = write_to("/proc/self/setgroups", "deny"); !done) return done;
    if (auto done = write_to("/proc/self/gid_map", fmt::format("{0} {0} 1", game.group)); !done) return done;
    return write_to("/proc/self/uid_map", fmt::format("{0} {0} 1", game.user));
}

/// All games run as one user, and the kernel has some counters per user. It also counts per user namespace,
/// with that namespace's limits (kernel/ucount.c). These limits bound each game, and a hundred games fit into
/// the user's own limit.
Result<> take_own_share() {
    if (auto done = write_to("/proc/sys/user/max_inotify_instances", "16"); !done) return done;
    if (auto done = write_to("/proc/sys/user/max_inotify_watches", "4096"); !done) return done;
    if (auto done = write_to("/proc/sys/user/max_user_namespaces", "0"); !done) return done;
    const rlimit signals{1024, 1024};  // queued signals, and timers
    const rlimit messages{0, 0};       // POSIX message queues, which nothing of the game uses
    if (::setrlimit(RLIMIT_SIGPENDING, &signals) != 0 || ::setrlimit(RLIMIT_MSGQUEUE, &messages) != 0)
        return system_failure("limits");
    return {};
}

/// A new user namespace starts with all capabilities, and with all of them in the bounding set.
Result<> drop_capabilities() {
    for (unsigned long one = 0; ::prctl(PR_CAPBSET_READ, one, unused, unused, unused) >= 0; ++one) {
        if (::prctl(PR_CAPBSET_DROP, one, unused, unused, unused) != 0) return system_failure("bounding set");
    }
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, unused, unused, unused) != 0)
        return system_failure("ambient capabilities");
    return set_capabilities(0);
}

/// Verifies that everything was dropped: from here on, foreign code runs.
Result<> check_harmless(Owner game) {
    uid_t real = 0;
    uid_t effective = 0;
    uid_t saved = 0;
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    Capabilities data{};
    if (::getresuid(&real, &effective, &saved) != 0 || ::syscall(SYS_capget, &header, data.data()) != 0) {
        return system_failure("looking at what is left");
    }
    bool harmless = real == game.user && effective == game.user && saved == game.user;
    for (const auto& part : data)
        harmless = harmless && (part.effective | part.permitted | part.inheritable) == 0;
    if (!harmless) return fail(Failure::System, "this process would have more permissions than a game's");
    return {};
}

}  // namespace

Result<> take_groups(Owner game) {
    if (::setgroups(1, &game.group) != 0 || ::setresgid(game.group, game.group, game.group) != 0)
        return system_failure("the game's group");
    return {};
}

Result<> become(Owner game) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, unused, unused, unused) != 0)
        return system_failure("no new privileges");
    // One capability outlives root for a moment, for hosts on which only root may create user namespaces.
    if (::prctl(PR_SET_KEEPCAPS, 1, unused, unused, unused) != 0)
        return system_failure("keeping capabilities");
    if (::setresuid(game.user, game.user, game.user) != 0) return system_failure("the game's user");
    if (auto done = set_capabilities(1U << CAP_SYS_ADMIN); !done) return done;
    if (auto done = enter_user_namespace(game); !done) return done;
    if (auto done = take_own_share(); !done) return done;
    if (auto done = drop_capabilities(); !done) return done;
    return check_harmless(game);
}

void stay_among_own() {
    // linux/landlock.h of older releases lacks `scoped`.
    struct Rules {
        std::uint64_t files = 0;
        std::uint64_t network = 0;
        std::uint64_t scoped = 0;
    };
    constexpr std::uint64_t abstract_sockets = 1;
    constexpr std::uint64_t signals = 2;
    const Rules rules{.scoped = abstract_sockets | signals};
    const Fd made(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &rules, sizeof(rules), 0U)));
    if (made) (void)::syscall(SYS_landlock_restrict_self, made.get(), 0U);
}

}  // namespace left4me::sandbox
