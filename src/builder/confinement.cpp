#include "builder/confinement.hpp"

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

#include "adapters/store/files.hpp"

namespace left4me::builder {

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
/// What libarchive, the C library and the sanitizers (sigaltstack) need. A descriptor alone is no danger:
/// only the archive and a pipe are open.
constexpr auto parsing = std::to_array<std::uint32_t>(
    {SYS_read,          SYS_readv,        SYS_pread64, SYS_write,        SYS_writev,         SYS_lseek,
     SYS_fstat,         SYS_newfstatat,   SYS_mmap,    SYS_munmap,       SYS_mremap,         SYS_mprotect,
     SYS_madvise,       SYS_brk,          SYS_futex,   SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_getrandom,
     SYS_clock_gettime, SYS_gettimeofday, SYS_exit,    SYS_exit_group,   SYS_sigaltstack});

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

Built<void> confine(Confinement confinement) {
    std::vector<sock_filter> program;
    switch (confinement) {
        case Confinement::NoNetwork:
            program = filter(sockets, refuse, allow);
            break;
        case Confinement::ParseOnly:
            program = filter(parsing, allow, refuse);
            break;
    }
    const sock_fprog whole{static_cast<unsigned short>(program.size()), program.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &whole) != 0)
        return own_failure(errno, store::io_error("seccomp").error());
    return {};
}

}  // namespace left4me::builder
