// The game is a 32-bit program. A file of its own, because both architectures have the same names for their
// numbers.
#include <asm/unistd_32.h>
#include <linux/audit.h>

#include <array>

#include "privileged/sandbox/filter.hpp"

namespace left4me::sandbox {

namespace {

constexpr std::array<std::uint32_t, 22> forbidden = {
    __NR_mount,       __NR_umount,    __NR_umount2,     __NR_pivot_root, __NR_chroot,      __NR_move_mount,
    __NR_open_tree,   __NR_fsopen,    __NR_fsconfig,    __NR_fsmount,    __NR_fspick,      __NR_mount_setattr,
    __NR_setns,       __NR_setgroups, __NR_setgroups32, __NR_setresuid,  __NR_setresuid32, __NR_setresgid,
    __NR_setresgid32, __NR_setreuid,  __NR_setreuid32,  __NR_capset};

}  // namespace

Calls calls_of_i386() { return {AUDIT_ARCH_I386, forbidden, __NR_unshare, __NR_clone, __NR_clone3}; }

}  // namespace left4me::sandbox
