#include <asm/unistd_64.h>
#include <linux/audit.h>

#include <array>

#include "privileged/sandbox/filter.hpp"

namespace left4me::sandbox {

namespace {

constexpr std::array<std::uint32_t, 17> forbidden = {
    __NR_mount,     __NR_umount2,   __NR_pivot_root, __NR_chroot,        __NR_move_mount, __NR_open_tree,
    __NR_fsopen,    __NR_fsconfig,  __NR_fsmount,    __NR_mount_setattr, __NR_setns,      __NR_setgroups,
    __NR_setresuid, __NR_setresgid, __NR_setreuid,   __NR_capset,        __NR_fspick};

}  // namespace

Calls calls_of_x86_64() { return {AUDIT_ARCH_X86_64, forbidden, __NR_unshare, __NR_clone, __NR_clone3}; }

}  // namespace left4me::sandbox
