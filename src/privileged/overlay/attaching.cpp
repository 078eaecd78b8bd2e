#include "privileged/overlay/attaching.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <thread>

#include "privileged/overlay/kernel.hpp"

namespace left4me::overlay {

namespace {

/// Runs on a separate thread, which never returns from the other namespace.
Result<Fd> clone_there(int mount_namespace, const std::string& path) {
    // setns(2): a thread cannot join a mount namespace while it shares its root and working directory with
    // other threads. Joining sets both to the root of that namespace.
    if (::unshare(CLONE_FS) != 0 || ::setns(mount_namespace, CLONE_NEWNS) != 0)
        return system_failure("joining the game's mount namespace");
    const Fd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return system_failure("the game's root");
    const auto merged = kernel::open_beneath(root.get(), path.substr(1));
    if (!merged) return std::unexpected(merged.error());
    struct statx status{};
    struct statfs file_system{};
    if (::statx(merged->get(), "", AT_EMPTY_PATH, 0, &status) != 0 ||
        ::fstatfs(merged->get(), &file_system) != 0)
        return system_failure(path);
    if ((status.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0 || file_system.f_type != OVERLAYFS_SUPER_MAGIC) {
        return fail(Failure::NotRendered, fmt::format("the game has no overlay at {} any more", path));
    }
    // open_tree(2) clones only mounts of the caller's own namespace, hence the setns(2). Without AT_RECURSIVE
    // it clones just this mount. (fs/namespace.c, __do_loopback())
    Fd clone(::open_tree(merged->get(), "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH));
    if (!clone) return system_failure("cloning the game's overlay");
    return clone;
}

}  // namespace

Result<Fd> clone_overlay(int mount_namespace, const std::string& path) {
    Result<Fd> clone = fail(Failure::System, "cloning the game's overlay");
    std::thread([&] { clone = clone_there(mount_namespace, path); }).join();
    return clone;
}

Result<> attach_overlay(int clone, int directory) {
    // The game's mount is a slave of the host's, and so would be its clone (mount_namespaces(7)). Made
    // private, it becomes what a mount created here would be: a peer of the state directory's followers.
    mount_attr settings{};
    settings.propagation = MS_PRIVATE;
    if (::mount_setattr(clone, "", AT_EMPTY_PATH, &settings, sizeof(settings)) != 0)
        return system_failure("making the overlay independent of the game's");
    if (::move_mount(clone, "", directory, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
        return system_failure("attaching the overlay");
    return {};
}

}  // namespace left4me::overlay
