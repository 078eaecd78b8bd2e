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

/// Runs on a thread of its own, which never comes back from the other namespace.
Result<Fd> clone_there(int mount_namespace, const std::string& path) {
    // setns(2): a mount namespace cannot be joined while the root and working directory are shared with other
    // threads. Joining it makes both the root of that namespace.
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
    // open_tree(2): only mounts of the caller's own namespace can be cloned, hence the joining. Without
    // AT_RECURSIVE it is this one mount. (fs/namespace.c, __do_loopback())
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
    // The game's own mount follows the host's; what was cloned from it would follow too
    // (mount_namespaces(7)). As a private mount it becomes what one that was made here is: a peer of what
    // follows the state directory's mounts.
    mount_attr settings{};
    settings.propagation = MS_PRIVATE;
    if (::mount_setattr(clone, "", AT_EMPTY_PATH, &settings, sizeof(settings)) != 0)
        return system_failure("making the overlay independent of the game's");
    if (::move_mount(clone, "", directory, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0)
        return system_failure("attaching the overlay");
    return {};
}

}  // namespace left4me::overlay
