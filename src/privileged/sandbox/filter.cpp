#include "privileged/sandbox/filter.hpp"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/net.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <initializer_list>
#include <span>

#include "privileged/sandbox/calls.hpp"

namespace left4me::sandbox {

namespace {

constexpr std::uint32_t fails(int number) { return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(number); }
/// 0x80 is CLONE_NEWTIME, which older headers lack. In clone(2), this bit is part of the signal number and
/// above all existing signals, so no program needs it.
constexpr std::uint32_t new_namespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                         CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | 0x80;
/// Numbers of the x32 ABI, which nothing here uses.
constexpr std::uint32_t x32 = 0x40000000;
constexpr std::uint32_t special_modes = S_ISUID | S_ISGID;
constexpr std::uint32_t makes_files = O_CREAT | (O_TMPFILE & ~O_DIRECTORY);

using Program = std::vector<sock_filter>;

constexpr std::uint16_t load = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t is = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t at_least = BPF_JMP | BPF_JGE | BPF_K;
constexpr std::uint16_t has_any = BPF_JMP | BPF_JSET | BPF_K;
constexpr std::uint16_t go = BPF_JMP | BPF_JA;
constexpr std::uint16_t answer = BPF_RET | BPF_K;

void append(Program& program, const Program& more) {
    program.insert(program.end(), more.begin(), more.end());
}

void when(Program& program, std::uint16_t test, std::uint32_t value, std::uint32_t verdict) {
    program.push_back({test, 0, 1, value});
    program.push_back({answer, 0, 0, verdict});
}

/// The lower half of an argument. The kernel ignores the upper half in every call that is checked.
void load_argument(Program& program, unsigned which) {
    const std::size_t offset = offsetof(seccomp_data, args) + which * sizeof(std::uint64_t);
    program.push_back({load, 0, 0, static_cast<std::uint32_t>(offset)});
}

Program verdict(std::uint32_t value) { return {{answer, 0, 0, value}}; }

Program unless_any(unsigned argument, std::uint32_t flags, int error) {
    Program program;
    load_argument(program, argument);
    when(program, has_any, flags, fails(error));
    append(program, verdict(SECCOMP_RET_ALLOW));
    return program;
}

Program if_one_of(unsigned argument, std::initializer_list<std::uint32_t> values, std::uint32_t then,
                  std::uint32_t otherwise) {
    Program program;
    load_argument(program, argument);
    for (const std::uint32_t value : values) when(program, is, value, then);
    append(program, verdict(otherwise));
    return program;
}

Program creates(unsigned flags) {
    Program program;
    load_argument(program, flags);
    program.push_back({has_any, 1, 0, makes_files});
    program.push_back({answer, 0, 0, SECCOMP_RET_ALLOW});
    append(program, unless_any(flags + 1, special_modes, EPERM));
    return program;
}

/// Same as is_allowed(), for arguments in registers.
Program family(Sockets sockets) {
    Program program;
    load_argument(program, 0);
    when(program, is, AF_UNIX, SECCOMP_RET_ALLOW);
    when(program, is, AF_NETLINK, SECCOMP_RET_ALLOW);
    program.push_back({is, 2, 0, AF_INET});
    program.push_back({is, 1, 0, AF_INET6});
    program.push_back({answer, 0, 0, fails(EAFNOSUPPORT)});
    const std::uint32_t accepted =
        sockets == Sockets::Supervisor ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ALLOW;
    append(program, if_one_of(2, {0, IPPROTO_TCP, IPPROTO_UDP}, accepted, fails(EPROTONOSUPPORT)));
    return program;
}

Program code_of(Rule rule, Sockets sockets) {
    switch (rule) {
        case Rule::Allow:
            return verdict(SECCOMP_RET_ALLOW);
        case Rule::Absent:
            return verdict(fails(ENOSYS));
        case Rule::NoNamespaces:
            return unless_any(0, new_namespaces, EPERM);
        case Rule::Family:
            return family(sockets);
        case Rule::Pair:
            return if_one_of(0, {AF_UNIX}, SECCOMP_RET_ALLOW, fails(EAFNOSUPPORT));
        case Rule::Asked:
            return verdict(SECCOMP_RET_USER_NOTIF);
        case Rule::Multiplexed:
            return if_one_of(0, {SYS_SOCKET, SYS_SOCKETPAIR, SYS_CONNECT}, SECCOMP_RET_USER_NOTIF,
                             SECCOMP_RET_ALLOW);
        case Rule::Mode1:
            return unless_any(1, special_modes, EPERM);
        case Rule::Mode2:
            return unless_any(2, special_modes, EPERM);
        case Rule::Open1:
            return creates(1);
        case Rule::Open2:
            return creates(2);
        case Rule::Policy:
            return if_one_of(1, {SCHED_OTHER, SCHED_BATCH, SCHED_IDLE}, SECCOMP_RET_ALLOW, fails(EPERM));
        case Rule::Personality:
            return if_one_of(0, {0, 0xffffffff}, SECCOMP_RET_ALLOW, fails(EPERM));
        case Rule::FastOpen2:
            return unless_any(2, MSG_FASTOPEN, EOPNOTSUPP);
        case Rule::FastOpen3:
            return unless_any(3, MSG_FASTOPEN, EOPNOTSUPP);
        case Rule::Terminal:
            return if_one_of(1, {TIOCSTI, TIOCLINUX}, fails(EPERM), SECCOMP_RET_ALLOW);
    }
    return verdict(fails(EPERM));
}

/// Consecutive numbers with the same code.
struct Run {
    std::uint32_t first;
    Program code;
};

bool same(const Program& one, const Program& other) {
    const auto equal = [](const sock_filter& a, const sock_filter& b) {
        return a.code == b.code && a.jt == b.jt && a.jf == b.jf && a.k == b.k;
    };
    return std::equal(one.begin(), one.end(), other.begin(), other.end(), equal);
}

std::vector<Run> runs_of(int Call::* number, Sockets sockets) {
    std::vector<Program> codes(first_unknown_call + 1, verdict(fails(EPERM)));
    codes.back() = verdict(fails(ENOSYS));
    for (const Call& call : known_calls()) {
        if (call.*number < 0) continue;
        const auto at = static_cast<std::size_t>(call.*number);
        while (codes.size() < at + 2) codes.push_back(verdict(fails(ENOSYS)));
        codes[at] = code_of(call.rule, sockets);
    }
    std::vector<Run> runs;
    for (std::size_t at = 0; at < codes.size(); ++at) {
        if (runs.empty() || !same(runs.back().code, codes[at]))
            runs.push_back({static_cast<std::uint32_t>(at), codes[at]});
    }
    return runs;
}

/// A binary search for the number in the accumulator.
Program search(std::span<const Run> runs) {
    if (runs.size() == 1) return runs.front().code;
    const auto middle = runs.size() / 2;
    const Program below = search(runs.first(middle));
    Program program;
    program.push_back({at_least, 0, 1, runs[middle].first});
    program.push_back({go, 0, 0, static_cast<std::uint32_t>(below.size())});
    append(program, below);
    append(program, search(runs.subspan(middle)));
    return program;
}

Program of_abi(std::uint32_t architecture, int Call::* number, Sockets sockets) {
    Program part;
    part.push_back({load, 0, 0, offsetof(seccomp_data, nr)});
    when(part, at_least, x32, SECCOMP_RET_KILL_PROCESS);
    append(part, search(runs_of(number, sockets)));
    Program program;
    program.push_back({is, 1, 0, architecture});
    program.push_back({go, 0, 0, static_cast<std::uint32_t>(part.size())});
    append(program, part);
    return program;
}

}  // namespace

std::vector<sock_filter> filter_program(Sockets sockets) {
    Program program;
    program.push_back({load, 0, 0, offsetof(seccomp_data, arch)});
    append(program, of_abi(AUDIT_ARCH_I386, &Call::i386, sockets));
    append(program, of_abi(AUDIT_ARCH_X86_64, &Call::x86_64, sockets));
    program.push_back({answer, 0, 0, SECCOMP_RET_KILL_PROCESS});
    return program;
}

Result<Fd> forbid_calls(Sockets sockets) {
    Program program = filter_program(sockets);
    const sock_fprog filter{static_cast<std::uint16_t>(program.size()), program.data()};
    // Once a call is being answered, only a fatal signal interrupts it: a connect that is repeated differs
    // from one connect. (Linux 5.19)
    constexpr unsigned flags = SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    Fd listener(static_cast<int>(::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &filter)));
    if (!listener) return overlay::system_failure("the filter of system calls");
    return listener;
}

}  // namespace left4me::sandbox
