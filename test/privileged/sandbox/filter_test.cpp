#include "privileged/sandbox/filter.hpp"

#include <linux/audit.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <set>
#include <string>

#include "privileged/sandbox/calls.hpp"
#include "support/catch.hpp"

using namespace left4me::sandbox;

namespace {

constexpr std::uint32_t error(int number) { return SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(number); }
constexpr std::uint32_t allowed = SECCOMP_RET_ALLOW;
constexpr std::uint32_t asked = SECCOMP_RET_USER_NOTIF;

/// Interprets the few instructions that seccomp filters have (classic BPF), like the kernel.
std::uint32_t verdict(const std::vector<sock_filter>& program, const seccomp_data& data) {
    std::uint32_t accumulator = 0;
    for (std::size_t at = 0; at < program.size(); ++at) {
        const sock_filter& one = program[at];
        const auto jump = [&](bool holds) { at += holds ? one.jt : one.jf; };
        switch (one.code) {
            case BPF_LD | BPF_W | BPF_ABS:
                std::memcpy(&accumulator, reinterpret_cast<const char*>(&data) + one.k, sizeof(accumulator));
                break;
            case BPF_JMP | BPF_JEQ | BPF_K:
                jump(accumulator == one.k);
                break;
            case BPF_JMP | BPF_JGE | BPF_K:
                jump(accumulator >= one.k);
                break;
            case BPF_JMP | BPF_JSET | BPF_K:
                jump((accumulator & one.k) != 0);
                break;
            case BPF_JMP | BPF_JA:
                at += one.k;
                break;
            case BPF_RET | BPF_K:
                return one.k;
            default:
                return 0xdeadbeef;
        }
    }
    return 0xdeadbeef;
}

struct Abi {
    const char* name;
    std::uint32_t architecture;
    int Call::* number;
};
constexpr std::array abis = {Abi{"x86_64", AUDIT_ARCH_X86_64, &Call::x86_64},
                             Abi{"i386", AUDIT_ARCH_I386, &Call::i386}};

using Arguments = std::vector<std::uint64_t>;

std::uint32_t of_number(std::uint32_t architecture, int number, const Arguments& arguments = {},
                        Sockets sockets = Sockets::Kernel) {
    static const std::vector<sock_filter> of_kernel = filter_program(Sockets::Kernel);
    static const std::vector<sock_filter> of_supervisor = filter_program(Sockets::Supervisor);
    seccomp_data data{};
    data.arch = architecture;
    data.nr = number;
    std::copy(arguments.begin(), arguments.end(), std::begin(data.args));
    return verdict(sockets == Sockets::Supervisor ? of_supervisor : of_kernel, data);
}

int number_of(const Abi& abi, const std::string& name) {
    for (const Call& call : known_calls())
        if (call.name == name) return call.*abi.number;
    FAIL("the filter does not know " << name);
    return -1;
}

/// By name, for each ABI that has the call.
void check(const std::string& name, const Arguments& arguments, std::uint32_t wanted,
           Sockets sockets = Sockets::Kernel) {
    for (const Abi& abi : abis) {
        const int number = number_of(abi, name);
        if (number < 0) continue;
        INFO(abi.name << " " << name);
        CHECK(of_number(abi.architecture, number, arguments, sockets) == wanted);
    }
}

}  // namespace

TEST_CASE("the filter fits the kernel's limits, and every path through it ends in a result") {
    for (const Sockets sockets : {Sockets::Kernel, Sockets::Supervisor})
        CHECK(filter_program(sockets).size() < BPF_MAXINSNS);
    for (const Abi& abi : abis) {
        for (int number = 0; number < 700; ++number) CHECK(of_number(abi.architecture, number) != 0xdeadbeef);
    }
}

TEST_CASE("listed calls are allowed and all others are not, natively and for 32-bit programs") {
    for (const Abi& abi : abis) {
        std::set<int> known;
        for (const Call& call : known_calls()) {
            if (call.*abi.number < 0) continue;
            INFO(abi.name << " " << call.name);
            CHECK(known.insert(call.*abi.number).second);
            if (call.rule == Rule::Allow) CHECK(of_number(abi.architecture, call.*abi.number) == allowed);
            if (call.rule == Rule::Absent)
                CHECK(of_number(abi.architecture, call.*abi.number) == error(ENOSYS));
        }
        for (int number = 0; number < 700; ++number) {
            if (known.contains(number)) continue;
            INFO(abi.name << " " << number);
            const bool newer = number >= static_cast<int>(first_unknown_call);
            CHECK(of_number(abi.architecture, number) == error(newer ? ENOSYS : EPERM));
        }
    }
}

TEST_CASE("io_uring, userfaultfd, keyrings and other processes' memory are refused on both ABIs") {
    struct Number {
        int x86_64, i386;
    };
    // io_uring_setup, _enter, _register, userfaultfd, add_key, request_key, keyctl, ptrace, process_vm_readv,
    // process_vm_writev, pidfd_getfd, setns, bpf, perf_event_open, mount, kexec_load, init_module, seccomp
    for (const Number number : {Number{425, 425},
                                {426, 426},
                                {427, 427},
                                {323, 374},
                                {248, 286},
                                {249, 287},
                                {250, 288},
                                {101, 26},
                                {310, 347},
                                {311, 348},
                                {438, 438},
                                {308, 346},
                                {321, 357},
                                {298, 336},
                                {165, 21},
                                {246, 283},
                                {175, 128},
                                {317, 354}}) {
        CHECK(of_number(AUDIT_ARCH_X86_64, number.x86_64) == error(EPERM));
        CHECK(of_number(AUDIT_ARCH_I386, number.i386) == error(EPERM));
    }
}

TEST_CASE("only four socket families are allowed, on both ABIs") {
    for (std::uint64_t family = 0; family < 64; ++family) {
        INFO(family);
        const bool good =
            family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
        check("socket", {family, SOCK_STREAM, 0}, good ? allowed : error(EAFNOSUPPORT));
        check("socketpair", {family, SOCK_STREAM, 0}, family == AF_UNIX ? allowed : error(EAFNOSUPPORT));
        // The kernel reads an int.
        check("socket", {(1ULL << 32U) | family, SOCK_STREAM, 0}, good ? allowed : error(EAFNOSUPPORT));
    }
    for (std::uint64_t protocol = 0; protocol < 300; ++protocol) {
        const bool good = protocol == 0 || protocol == 6 || protocol == 17;
        check("socket", {AF_INET, SOCK_DGRAM, protocol}, good ? allowed : error(EPROTONOSUPPORT));
        CHECK(is_allowed(AF_INET6, static_cast<int>(protocol)) == good);
    }
}

TEST_CASE("if packets are to be marked, the supervisor makes the sockets of the network, and only them") {
    const auto check_marked = [](const Arguments& arguments, std::uint32_t wanted) {
        check("socket", arguments, wanted, Sockets::Supervisor);
    };
    for (const std::uint64_t family : {std::uint64_t{AF_INET}, std::uint64_t{AF_INET6}}) {
        check_marked({family, SOCK_DGRAM, 0}, asked);
        check_marked({family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_UDP}, asked);
        check_marked({(1ULL << 32U) | family, SOCK_DGRAM, 0}, asked);
        check_marked({family, SOCK_DGRAM, 1}, error(EPROTONOSUPPORT));
    }
    check_marked({AF_UNIX, SOCK_DGRAM, 0}, allowed);
    check_marked({AF_NETLINK, SOCK_DGRAM, 0}, allowed);
    check_marked({AF_PACKET, SOCK_DGRAM, 0}, error(EAFNOSUPPORT));
    check("socketpair", {AF_UNIX, SOCK_DGRAM, 0}, allowed, Sockets::Supervisor);
    // Nothing else differs.
    for (const Abi& abi : abis) {
        const int socket = number_of(abi, "socket");
        for (int number = 0; number < 700; ++number) {
            if (number == socket) continue;
            INFO(abi.name << " " << number);
            CHECK(of_number(abi.architecture, number, {AF_INET, SOCK_DGRAM, 0}, Sockets::Supervisor) ==
                  of_number(abi.architecture, number, {AF_INET, SOCK_DGRAM, 0}));
        }
    }
}

TEST_CASE("arguments in memory, which a filter cannot read, are handed to the supervisor") {
    check("connect", {3, 0x1000, 16}, asked);
    for (std::uint64_t which = 0; which < 30; ++which) {
        // SYS_SOCKET, SYS_CONNECT, SYS_SOCKETPAIR
        const bool judged = which == 1 || which == 3 || which == 8;
        check("socketcall", {which, 0x1000}, judged ? asked : allowed);
    }
}

TEST_CASE("modes, namespaces, scheduling, personalities, terminals and fast open are filtered by argument") {
    check("chmod", {0, 0755}, allowed);
    check("chmod", {0, 04755}, error(EPERM));
    check("fchmodat2", {0, 0, 02755}, error(EPERM));
    check("mkdirat", {0, 0, 02755}, error(EPERM));
    check("open", {0, 0102, 0644}, allowed);
    check("open", {0, 0102, 04755}, error(EPERM));
    check("open", {0, 0, 04755}, allowed);
    check("openat", {0, 0, 020200002, 04755}, error(EPERM));
    for (const std::uint32_t flag :
         std::initializer_list<std::uint32_t>{CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC,
                                              CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET, 0x80}) {
        check("clone", {flag | 17U}, error(EPERM));
        check("unshare", {flag}, error(EPERM));
    }
    check("clone", {CLONE_VM | CLONE_THREAD | CLONE_SIGHAND | CLONE_FILES}, allowed);
    check("unshare", {CLONE_FILES}, allowed);
    check("sched_setscheduler", {0, SCHED_BATCH}, allowed);
    check("sched_setscheduler", {0, SCHED_FIFO}, error(EPERM));
    check("personality", {0xffffffff}, allowed);
    check("personality", {0x0400000}, error(EPERM));
    check("ioctl", {0, 0x5412}, error(EPERM));
    check("ioctl", {0, 0x541b}, allowed);
    check("sendto", {3, 0, 0, MSG_NOSIGNAL}, allowed);
    check("sendto", {3, 0, 0, MSG_FASTOPEN}, error(EOPNOTSUPP));
    check("sendmsg", {3, 0, MSG_FASTOPEN}, error(EOPNOTSUPP));
}

TEST_CASE("other ABIs kill the process") {
    CHECK(of_number(AUDIT_ARCH_X86_64, 0x40000000 | 39) == SECCOMP_RET_KILL_PROCESS);
    CHECK(of_number(AUDIT_ARCH_AARCH64, 39) == SECCOMP_RET_KILL_PROCESS);
}
