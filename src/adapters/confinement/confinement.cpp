#include "adapters/confinement/confinement.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace left4me {

namespace {

#if defined(__x86_64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t architecture = AUDIT_ARCH_AARCH64;
#else
#error "which AUDIT_ARCH_ of linux/audit.h is it?"
#endif

/// x32's calls, under other numbers, on x86_64.
constexpr std::uint32_t other_numbers = 0x40000000U;

constexpr std::array<std::uint32_t, 2> sockets{SYS_socket, SYS_io_uring_setup};  // which makes sockets, too
/// What parsers, the C library and the sanitizers (sigaltstack) need. A descriptor alone is no danger:
/// whoever calls confine() keeps only those open that the code needs.
constexpr auto parsing = std::to_array<std::uint32_t>(
    {SYS_read,          SYS_readv,        SYS_pread64, SYS_write,        SYS_writev,         SYS_lseek,
     SYS_fstat,         SYS_newfstatat,   SYS_mmap,    SYS_munmap,       SYS_mremap,         SYS_mprotect,
     SYS_madvise,       SYS_brk,          SYS_futex,   SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_getrandom,
     SYS_clock_gettime, SYS_gettimeofday, SYS_exit,    SYS_exit_group,   SYS_sigaltstack});
/// Those, and what a program needs that waits for datagrams and replaces a file with what it has heard.
/// x86_64 has older calls, too, which its C library uses.
constexpr auto with_bound_sockets = std::to_array<std::uint32_t>({
    SYS_sendto,
    SYS_recvfrom,
    SYS_ppoll,
    SYS_openat,
    SYS_close,
    SYS_renameat2,
    SYS_fcntl,
    SYS_clock_nanosleep,
    SYS_renameat,
#ifdef SYS_poll
    SYS_poll,
#endif
#ifdef SYS_rename
    SYS_rename,
#endif
});

constexpr std::uint32_t allow = SECCOMP_RET_ALLOW;
constexpr std::uint32_t refuse = SECCOMP_RET_ERRNO | (EPERM & SECCOMP_RET_DATA);

sock_filter load(std::size_t offset) {
    return {BPF_LD | BPF_W | BPF_ABS, 0, 0, static_cast<std::uint32_t>(offset)};
}
/// Executes the next instruction only if the value is `value`.
sock_filter unless(std::uint32_t value) { return {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, value}; }
sock_filter answer(std::uint32_t what) { return {BPF_RET | BPF_K, 0, 0, what}; }

/// `listed` for these calls, `others` for all other ones.
std::vector<sock_filter> filter(std::span<const std::uint32_t> calls, std::uint32_t listed,
                                std::uint32_t others) {
    std::vector<sock_filter> program{
        load(offsetof(seccomp_data, arch)), {BPF_JMP | BPF_JEQ | BPF_K, 1, 0, architecture},  answer(refuse),
        load(offsetof(seccomp_data, nr)),   {BPF_JMP | BPF_JGE | BPF_K, 0, 1, other_numbers}, answer(refuse)};
    for (const std::uint32_t call : calls) {
        program.push_back(unless(call));
        program.push_back(answer(listed));
    }
    program.push_back(answer(others));
    return program;
}

}  // namespace

std::expected<void, int> confine(Confinement confinement) {
    std::vector<sock_filter> program;
    std::vector<std::uint32_t> calls(parsing.begin(), parsing.end());
    switch (confinement) {
        case Confinement::NoNetwork:
            program = filter(sockets, refuse, allow);
            break;
        case Confinement::ParseOnly:
            program = filter(calls, allow, refuse);
            break;
        case Confinement::BoundSockets:
            calls.insert(calls.end(), with_bound_sockets.begin(), with_bound_sockets.end());
            program = filter(calls, allow, refuse);
            break;
    }
    const sock_fprog whole{static_cast<unsigned short>(program.size()), program.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) != 0)
        return std::unexpected(errno);
    return {};
}

}  // namespace left4me
