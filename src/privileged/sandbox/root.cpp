#include "privileged/sandbox/root.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "privileged/overlay/kernel.hpp"

namespace left4me::sandbox {

using overlay::system_failure;

namespace {

namespace kernel = overlay::kernel;
using Options = std::initializer_list<std::pair<const char*, const char*>>;

constexpr unsigned plain = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
constexpr unsigned shown = plain | MOUNT_ATTR_RDONLY;

/// Where the new root is attached before it becomes the root. Any directory owned by root works.
constexpr const char* anchor = "/run/left4me";

/// The tree under construction. Names are relative to its root.
class Tree {
  public:
    explicit Tree(Fd root) : root_(std::move(root)) {}

    int root() const { return root_.get(); }

    /// Creates a directory and its parents.
    Result<> directory(const std::string& name, mode_t mode = 0755) const {
        for (std::size_t slash = name.find('/'); slash != std::string::npos;
             slash = name.find('/', slash + 1)) {
            if (::mkdirat(root(), name.substr(0, slash).c_str(), 0755) != 0 && errno != EEXIST)
                return system_failure(name);
        }
        if (::mkdirat(root(), name.c_str(), mode) != 0 && errno != EEXIST) return system_failure(name);
        return {};
    }

    Result<> link(const std::string& target, const std::string& name) const {
        if (::symlinkat(target.c_str(), root(), name.c_str()) != 0) return system_failure(name);
        return {};
    }

    /// Mounts a new file system at a directory, which it creates.
    Result<> filesystem(const char* type, const std::string& name, unsigned attributes,
                        Options options) const {
        if (auto done = directory(name); !done) return done;
        auto context = kernel::Context::open(type);
        if (!context) return std::unexpected(context.error());
        for (const auto& [key, value] : options) {
            if (auto done = context->set(key, value); !done) return done;
        }
        const auto mount = context->create(attributes);
        if (!mount) return std::unexpected(mount.error());
        return attach(*mount, name);
    }

    /// Shows a part of the host. Later mounts of the host do not appear in it unless `following`, and mounts
    /// made in it never appear on the host.
    Result<> show(int at, const char* path, const std::string& name, unsigned attributes,
                  bool following = false) const {
        const unsigned recursion = AT_RECURSIVE;
        const unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | recursion | AT_EMPTY_PATH;
        const Fd mount(::open_tree(at, path, flags));
        if (!mount) return system_failure("showing " + name);
        mount_attr settings{};
        settings.attr_set = attributes;
        settings.propagation = following ? MS_SLAVE : MS_PRIVATE;
        if (::mount_setattr(mount.get(), "", AT_EMPTY_PATH | recursion, &settings, sizeof(settings)) != 0)
            return system_failure("showing " + name);
        return attach(mount, name);
    }

    /// The same directory of the host, if it exists.
    Result<> show_directory(const std::string& path) const {
        const std::string name = path.substr(1);
        const Fd there(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!there) return errno == ENOENT || errno == ENOTDIR ? Result<>{} : system_failure(path);
        if (auto done = directory(name); !done) return done;
        return show(there.get(), "", name, shown);
    }

    /// The same file or device of the host, if it exists.
    Result<> show_file(const std::string& path, unsigned attributes) const {
        const std::string name = path.substr(1);
        const Fd there(::open(path.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!there) return errno == ENOENT ? Result<>{} : system_failure(path);
        if (const std::size_t slash = name.rfind('/'); slash != std::string::npos) {
            if (auto done = directory(name.substr(0, slash)); !done) return done;
        }
        const Fd made(::openat(root(), name.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444));
        if (!made) return system_failure(name);
        return show(there.get(), "", name, attributes);
    }

  private:
    Result<> attach(const Fd& mount, const std::string& name) const {
        if (::move_mount(mount.get(), "", root(), name.c_str(), MOVE_MOUNT_F_EMPTY_PATH) != 0)
            return system_failure("attaching " + name);
        return {};
    }

    Fd root_;
};

template <typename Step>
Result<> for_each(std::initializer_list<const char*> names, Step step) {
    for (const char* name : names) {
        if (auto done = step(name); !done) return done;
    }
    return {};
}

/// The programs and libraries of the system: /usr, and the links to it, or the directories themselves on
/// hosts without merged /usr.
Result<> add_system(const Tree& tree) {
    if (auto done = tree.show_directory("/usr"); !done) return done;
    const auto same = [&tree](const std::string& path) -> Result<> {
        std::array<char, PATH_MAX> target{};
        const ssize_t length = ::readlink(path.c_str(), target.data(), target.size() - 1);
        if (length > 0) return tree.link(target.data(), path.substr(1));
        return tree.show_directory(path);
    };
    if (auto done = for_each({"/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"}, same); !done)
        return done;
    // With another prefix, the launcher is elsewhere.
    const std::string programs = LEFT4ME_LIBEXEC;
    return programs.starts_with("/usr/") ? Result<>{} : tree.show_directory(programs);
}

Result<> add_settings(const Tree& tree) {
    if (auto done = tree.show_directory("/etc"); !done) return done;
    struct stat status{};
    if (::fstatat(tree.root(), "etc/left4me", &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode)) {
        const unsigned nothing = shown | MOUNT_ATTR_NOEXEC;
        const Options empty = {{"mode", "0"}, {"size", "4k"}, {"nr_inodes", "1"}};
        if (auto done = tree.filesystem("tmpfs", "etc/left4me", nothing, empty); !done) return done;
    }
    // Possible targets of /etc/resolv.conf.
    if (auto done = tree.show_directory("/run/systemd/resolve"); !done) return done;
    if (auto done = tree.show_directory("/run/resolvconf"); !done) return done;
    return tree.show_file("/run/NetworkManager/resolv.conf", shown);
}

Result<> add_devices(const Tree& tree) {
    const unsigned devices = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
    if (auto done = tree.directory("dev"); !done) return done;
    const auto device = [&tree](const char* path) { return tree.show_file(path, devices); };
    if (auto done = for_each({"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"}, device);
        !done)
        return done;
    const Options small = {{"mode", "1777"}, {"size", "64m"}, {"nr_inodes", "4k"}};
    if (auto done = tree.filesystem("tmpfs", "dev/shm", plain, small); !done) return done;
    if (auto done = tree.link("/proc/self/fd", "dev/fd"); !done) return done;
    if (auto done = tree.link("/proc/self/fd/0", "dev/stdin"); !done) return done;
    if (auto done = tree.link("/proc/self/fd/1", "dev/stdout"); !done) return done;
    return tree.link("/proc/self/fd/2", "dev/stderr");
}

/// Writable directories and kernel information. This /proc is that of the children's PID namespace
/// (fs/proc/root.c, proc_init_fs_context()); it hides processes that the game may not trace.
Result<> add_own(const Tree& tree) {
    const unsigned none_runs = plain | MOUNT_ATTR_NOEXEC;
    if (auto done = tree.filesystem("proc", "proc", none_runs, {{"hidepid", "invisible"}}); !done)
        return done;
    if (auto done = tree.show_directory("/sys/devices/system/cpu"); !done) return done;
    const Options scratch = {{"mode", "1777"}, {"size", "256m"}, {"nr_inodes", "16k"}};
    if (auto done = tree.filesystem("tmpfs", "tmp", plain, scratch); !done) return done;
    if (auto done = tree.directory("run"); !done) return done;
    if (auto done = tree.directory("var"); !done) return done;
    return tree.link("../tmp", "var/tmp");
}

Result<> add_server_dirs(const Tree& tree, const std::string& state, const ServerDirs& dirs) {
    const std::string own = fmt::format("{}/runtime/{}/", state.substr(1), dirs.server);
    if (auto done = tree.directory(own + "merged"); !done) return done;
    if (auto done = tree.directory(own + "rendering"); !done) return done;
    // Mounts that an operator makes in it later appear here, too. An umount of the overlay itself does not
    // propagate here, because it propagates only where the mount below is followed (mount_namespaces(7)), and
    // the mount below is our own root. So a game keeps its files if somebody unmounts them by hand, and
    // left4me-overlay attach can restore them.
    if (auto done = tree.show(dirs.merged.get(), "", own + "merged", plain, true); !done) return done;
    return tree.show(dirs.rendering.get(), "", own + "rendering", shown | MOUNT_ATTR_NOEXEC);
}

Result<Fd> new_root() {
    auto context = kernel::Context::open("tmpfs");
    if (!context) return std::unexpected(context.error());
    for (const auto& [key, value] :
         Options{{"mode", "0755"}, {"size", "256k"}, {"nr_inodes", "128"}, {"source", "left4me"}}) {
        if (auto done = context->set(key, value); !done) return std::unexpected(done.error());
    }
    auto mount = context->create(plain);
    if (!mount) return mount;
    if (::move_mount(mount->get(), "", AT_FDCWD, anchor, MOVE_MOUNT_F_EMPTY_PATH) != 0)
        return system_failure(anchor);
    return mount;
}

Result<> move_into(int root) {
    mount_attr read_only{};
    read_only.attr_set = shown;
    if (::mount_setattr(root, "", AT_EMPTY_PATH, &read_only, sizeof(read_only)) != 0)
        return system_failure("making the root read-only");
    if (::fchdir(root) != 0) return system_failure("the new root");
    // Stacks the old root on top of the new one, where umount2 finds it under the same name.
    if (::syscall(SYS_pivot_root, ".", ".") != 0) return system_failure("changing the root");
    if (::umount2(".", MNT_DETACH) != 0) return system_failure("letting go of the host's mounts");
    if (::chdir("/") != 0) return system_failure("/");
    return {};
}

}  // namespace

Result<Fd> open_processes() {
    auto context = kernel::Context::open("proc");
    if (!context) return std::unexpected(context.error());
    if (auto done = context->set("subset", "pid"); !done) return std::unexpected(done.error());
    return context->create(plain | MOUNT_ATTR_NOEXEC);
}

Result<> leave_the_host() {
    if (::unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWPID) != 0)
        return system_failure("namespaces of mounts and processes");
    // Slave, not private: until the copies of the other servers' overlays are gone, an umount on the host
    // must reach them; otherwise an overlay would outlive its umount.
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
        return system_failure("following the host's mounts");
    return {};
}

Result<> enter_root(const std::string& state, const ServerDirs& dirs) {
    auto root = new_root();
    if (!root) return std::unexpected(root.error());
    const Tree tree(std::move(*root));
    if (auto done = add_system(tree); !done) return done;
    if (auto done = add_settings(tree); !done) return done;
    if (auto done = add_devices(tree); !done) return done;
    if (auto done = add_own(tree); !done) return done;
    if (auto done = add_server_dirs(tree, state, dirs); !done) return done;
    return move_into(tree.root());
}

}  // namespace left4me::sandbox
