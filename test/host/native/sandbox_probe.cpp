// Makes calls that a game must not make and prints the results, "NAME ERRNO" per line: natively and, under
// the same names with "32" appended, through the entry point of 32-bit programs.
#include <linux/sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

namespace {

struct Call {
    const char* name;
    long native;
    long narrow;  ///< its number on i386
    long argument;
};

// Arguments that make an allowed call fail with something other than EPERM, and do no harm.
constexpr std::array calls = {
    Call{"mount", SYS_mount, 21, 0},
    Call{"umount2", SYS_umount2, 52, 0},
    Call{"pivot_root", SYS_pivot_root, 217, 0},
    Call{"chroot", SYS_chroot, 61, 0},
    Call{"fsopen", SYS_fsopen, 430, 0},
    Call{"open_tree", SYS_open_tree, 428, -1},
    Call{"move_mount", SYS_move_mount, 429, -1},
    Call{"mount_setattr", SYS_mount_setattr, 442, -1},
    Call{"setns", SYS_setns, 346, -1},
    Call{"setresuid", SYS_setresuid, 208, 12345},
    Call{"setgroups", SYS_setgroups, 206, -1},
    Call{"capset", SYS_capset, 185, 0},
    Call{"bpf", SYS_bpf, 357, -1},
    Call{"unshare-user", SYS_unshare, 310, CLONE_NEWUSER},
    Call{"unshare-mount", SYS_unshare, 310, CLONE_NEWNS},
    Call{"unshare-time", SYS_unshare, 310, CLONE_NEWTIME},
    Call{"clone-user", SYS_clone, 120, CLONE_NEWUSER},
    Call{"clone3", SYS_clone3, 435, 0},
};

/// As in a 32-bit program; the kernel accepts i386 numbers from any process.
long narrow_call(long number, long argument) {
    long result = 0;
    // NOLINTNEXTLINE(hicpp-no-assembler)
    asm volatile("int $0x80"
                 : "=a"(result)
                 : "a"(number), "b"(argument), "c"(0L), "d"(0L), "S"(0L), "D"(0L)
                 : "memory", "r8", "r9", "r10", "r11");
    return result;
}

/// In a separate process: an allowed call may change it, and a filter may kill it.
int tried(const Call& call, bool narrow) {
    const pid_t child = ::fork();
    if (child == 0) {
        const long result = narrow ? narrow_call(call.narrow, call.argument)
                                   : ::syscall(call.native, call.argument, 0L, 0L, 0L, 0L, 0L);
        ::_exit(result >= 0 ? 0 : static_cast<int>(narrow ? -result : errno));
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child) return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

}  // namespace

int main() {
    for (const Call& call : calls) {
        std::printf("%s %d\n%s32 %d\n", call.name, tried(call, false), call.name, tried(call, true));
        std::fflush(stdout);
    }
    return 0;
}
