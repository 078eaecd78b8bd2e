#pragma once

#include <cstdint>
#include <span>

namespace left4me::sandbox {

/// What the filter does with a listed system call. Digits are the number of the argument that it checks, from
/// 0.
enum class Rule : std::uint8_t {
    Allow,
    Absent,        ///< ENOSYS: its arguments are in memory, and the C library has a fallback
    NoNamespaces,  ///< clone(2), unshare(2): EPERM with a flag that creates a namespace
    Family,  ///< socket(2): a family and protocol that `is_allowed()` accepts; left4me-sandbox creates it
             ///< if it marks packets
    Pair,    ///< socketpair(2): AF_UNIX only
    Asked,   ///< connect(2): left4me-sandbox makes the connection
    Multiplexed,  ///< socketcall(2): left4me-sandbox creates the sockets and connects
    Mode1,        ///< EPERM with setuid or setgid in the mode
    Mode2,
    Open1,  ///< EPERM if the flags (this argument) create a file and the mode (the next one) has setuid or
            ///< setgid
    Open2,
    Policy,       ///< sched_setscheduler(2): no realtime
    Personality,  ///< personality(2): only queries, and the default personality
    FastOpen2,    ///< EOPNOTSUPP with MSG_FASTOPEN, which connects
    FastOpen3,
    Terminal,  ///< ioctl(2): no input injection into terminals
};

struct Call {
    const char* name;
    int x86_64, i386;  ///< its number in linux's syscall_64.tbl and syscall_32.tbl; -1 if there is none
    Rule rule = Rule::Allow;
};

/// All calls that a game may make. Others fail with EPERM, or with ENOSYS if they are newer than the list. It
/// is systemd's @system-service (252) without its groups @privileged, @obsolete and @keyring, without
/// io_uring, userfaultfd and setns(2), and without calls that access other processes' memory.
std::span<const Call> known_calls();

/// The first number that the list does not know.
constexpr std::uint32_t first_unknown_call = 451;

/// Whether a game may have such a socket. `type` may include SOCK_CLOEXEC and SOCK_NONBLOCK. AF_INET and
/// AF_INET6 are limited to TCP and UDP, because other protocols load kernel modules.
bool is_allowed(int family, int protocol);

}  // namespace left4me::sandbox
