#pragma once

#include <cstdint>
#include <span>

namespace left4me::sandbox {

/// What the filter does with a system call that is in the list. Digits are the argument that it looks at,
/// from 0.
enum class Rule : std::uint8_t {
    Allow,
    Absent,        ///< ENOSYS: its arguments are in memory, and the C library has another way
    NoNamespaces,  ///< clone(2), unshare(2): EPERM with a flag that makes a namespace
    Family,        ///< socket(2): a family and protocol that `is_allowed()` knows
    Pair,          ///< socketpair(2): AF_UNIX alone
    Asked,         ///< connect(2): left4me-sandbox does it
    Multiplexed,   ///< socketcall(2): left4me-sandbox makes the sockets and connects
    Mode1,         ///< EPERM with setuid or setgid in the mode
    Mode2,
    Open1,  ///< EPERM where the flags, this argument, make a file and the mode, the next one, has setuid or
            ///< setgid
    Open2,
    Policy,       ///< sched_setscheduler(2): no realtime
    Personality,  ///< personality(2): asking, and going back to the plain one
    FastOpen2,    ///< EOPNOTSUPP with MSG_FASTOPEN, which connects
    FastOpen3,
    Terminal,  ///< ioctl(2): no typing into terminals
};

struct Call {
    const char* name;
    int x86_64, i386;  ///< its number, of linux's syscall_64.tbl and syscall_32.tbl; -1 where there is none
    Rule rule = Rule::Allow;
};

/// All that a game may call; EPERM for the rest, ENOSYS for what is newer than the list. It is systemd's
/// @system-service (252) without what its groups @privileged, @obsolete and @keyring list, io_uring,
/// userfaultfd, setns(2), and what reaches into other processes' memory.
std::span<const Call> known_calls();

/// From here on the kernel has calls that the list does not know.
constexpr std::uint32_t first_unknown_call = 451;

/// Whether a game may have such a socket. `type` is without SOCK_CLOEXEC and SOCK_NONBLOCK, or with them.
/// Protocols of AF_INET and AF_INET6 are TCP and UDP: others load kernel modules.
bool is_allowed(int family, int protocol);

}  // namespace left4me::sandbox
