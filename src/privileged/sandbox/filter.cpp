#include "privileged/sandbox/filter.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <sys/prctl.h>

#include <cerrno>
#include <cstddef>
#include <vector>

namespace left4me::sandbox {

namespace {

constexpr std::uint32_t refused = SECCOMP_RET_ERRNO | EPERM;
/// CLONE_NEWTIME is no flag of clone(2), where its bit is part of a signal's number.
constexpr std::uint32_t new_namespaces =
    CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
constexpr std::uint32_t new_time = 0x80;
/// Numbers of the x32 ABI, which nothing here uses.
constexpr std::uint32_t x32 = 0x40000000;

using Program = std::vector<sock_filter>;

constexpr std::uint16_t load = BPF_LD | BPF_W | BPF_ABS;
constexpr std::uint16_t is = BPF_JMP | BPF_JEQ | BPF_K;
constexpr std::uint16_t at_least = BPF_JMP | BPF_JGE | BPF_K;
constexpr std::uint16_t has_any = BPF_JMP | BPF_JSET | BPF_K;
constexpr std::uint16_t answer = BPF_RET | BPF_K;

void when(Program& program, std::uint16_t test, std::uint32_t value, std::uint32_t verdict) {
    program.push_back({test, 0, 1, value});
    program.push_back({answer, 0, 0, verdict});
}

/// The flags are the first argument; the upper half of it means nothing to the kernel.
void when_flags(Program& program, std::uint32_t call, std::uint32_t flags) {
    program.push_back({is, 0, 4, call});
    program.push_back({load, 0, 0, offsetof(seccomp_data, args)});
    when(program, has_any, flags, refused);
    program.push_back({answer, 0, 0, SECCOMP_RET_ALLOW});
}

Program rules(const Calls& calls) {
    Program program;
    program.push_back({load, 0, 0, offsetof(seccomp_data, nr)});
    when(program, at_least, x32, SECCOMP_RET_KILL_PROCESS);
    for (const std::uint32_t call : calls.forbidden) when(program, is, call, refused);
    // Its flags are in memory, out of a filter's reach. The C library falls back to clone(2).
    when(program, is, calls.clone3, SECCOMP_RET_ERRNO | ENOSYS);
    when_flags(program, calls.unshare, new_namespaces | new_time);
    when_flags(program, calls.clone, new_namespaces);
    program.push_back({answer, 0, 0, SECCOMP_RET_ALLOW});
    return program;
}

}  // namespace

Result<> forbid_calls() {
    Program program;
    program.push_back({load, 0, 0, offsetof(seccomp_data, arch)});
    for (const Calls& calls : {calls_of_x86_64(), calls_of_i386()}) {
        const Program part = rules(calls);
        program.push_back({is, 0, static_cast<std::uint8_t>(part.size()), calls.architecture});
        program.insert(program.end(), part.begin(), part.end());
    }
    program.push_back({answer, 0, 0, SECCOMP_RET_KILL_PROCESS});
    sock_fprog filter{static_cast<std::uint16_t>(program.size()), program.data()};
    if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        return overlay::system_failure("the filter of system calls");
    return {};
}

}  // namespace left4me::sandbox
