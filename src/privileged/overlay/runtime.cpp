#include "privileged/overlay/runtime.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>

#include "adapters/digest.hpp"
#include "privileged/overlay/kernel.hpp"

namespace left4me::overlay {

namespace {

/// Our promises depend on names that only root can change.
Result<> check_roots_own(int directory, const std::string& name) {
    struct stat status{};
    if (::fstat(directory, &status) != 0) return system_failure(name);
    if (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fail(Failure::Refused,
                    fmt::format("{} must belong to root and be writable by root alone", name));
    }
    return {};
}

Result<> make_directory(int parent, const char* name, mode_t mode) {
    if (::mkdirat(parent, name, mode) != 0 && errno != EEXIST) return system_failure(name);
    return {};
}

Result<Fd> open_runtimes(int state) {
    if (auto checked = check_roots_own(state, "the state directory"); !checked)
        return std::unexpected(checked.error());
    if (auto made = make_directory(state, "runtime", 0755); !made) return std::unexpected(made.error());
    auto runtimes = kernel::open_beneath(state, "runtime");
    if (!runtimes) return runtimes;
    if (auto checked = check_roots_own(runtimes->get(), "runtime"); !checked)
        return std::unexpected(checked.error());
    return runtimes;
}

/// The lock is on the directory itself. Its previous holder may have removed the directory (purge). Then the
/// locked directory is no longer the one that the name leads to, and the lookup starts again.
Result<Fd> open_locked(int runtimes, const std::string& server, bool make) {
    constexpr int timeout = 16;
    for (int attempt = 0; attempt < timeout; ++attempt) {
        // 0711: others may pass through to merged, but anybody who can open a directory can also lock it
        // forever.
        if (make) {
            if (auto made = make_directory(runtimes, server.c_str(), 0711); !made)
                return std::unexpected(made.error());
        }
        Fd directory(::openat(runtimes, server.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!directory && errno == ENOENT && make) continue;
        if (!directory) return system_failure("runtime/" + server);
        while (::flock(directory.get(), LOCK_EX) != 0) {
            if (errno != EINTR) return system_failure("locking runtime/" + server);
        }
        struct stat locked{};
        struct stat named{};
        if (::fstat(directory.get(), &locked) != 0) return system_failure("runtime/" + server);
        const bool there = ::fstatat(runtimes, server.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0;
        if (there && locked.st_ino == named.st_ino && locked.st_dev == named.st_dev) return directory;
        if (!there && errno == ENOENT && !make) return system_failure("runtime/" + server);
    }
    return fail(Failure::Busy, fmt::format("runtime/{} is being removed and recreated", server));
}

Result<> give_to(const Fd& directory, Owner owner, mode_t mode) {
    // fchmod(2) does not work on O_PATH descriptors.
    const std::string path = kernel::descriptor_path(directory.get());
    struct stat status{};
    if (::fstat(directory.get(), &status) != 0) return system_failure("upper");
    if (status.st_uid != owner.user || status.st_gid != owner.group) {
        if (::chown(path.c_str(), owner.user, owner.group) != 0)
            return system_failure("giving upper to the game's user");
    }
    if ((status.st_mode & 07777U) != mode && ::chmod(path.c_str(), mode) != 0)
        return system_failure("mode of upper");
    return {};
}

}  // namespace

bool Runtime::is_mounted() const {
    struct statx status{};
    // STATX_ATTR_MOUNT_ROOT: the name leads to the root of a mount of any kind.
    if (::statx(directory.get(), "merged", AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, 0, &status) != 0)
        return false;
    return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

Result<> Runtime::link_rendering(const std::string& digest) const {
    const std::string target = fmt::format("../../instances/{}/{}", server, digest);
    std::string present(target.size() + 1, '\0');
    const ssize_t length = ::readlinkat(directory.get(), "rendering", present.data(), present.size());
    if (length >= 0 && present.substr(0, static_cast<std::size_t>(length)) == target) return {};
    constexpr const char* fresh = ".rendering";
    if (::unlinkat(directory.get(), fresh, 0) != 0 && errno != ENOENT) return system_failure(fresh);
    if (::symlinkat(target.c_str(), directory.get(), fresh) != 0 ||
        ::renameat(directory.get(), fresh, directory.get(), "rendering") != 0) {
        return system_failure("rendering");
    }
    return {};
}

Result<std::string> linked_rendering(int runtime, const std::string& server) {
    std::array<char, 256> target{};
    const ssize_t length = ::readlinkat(runtime, "rendering", target.data(), target.size());
    if (length < 0) return system_failure(fmt::format("runtime/{}/rendering", server));
    const std::string_view text(target.data(), static_cast<std::size_t>(length));
    const std::string above = fmt::format("../../instances/{}/", server);
    if (!text.starts_with(above) || !is_digest(text.substr(above.size()))) {
        return fail(Failure::Refused,
                    fmt::format("runtime/{}/rendering does not lead to a rendering of this server", server));
    }
    return std::string(text.substr(above.size()));
}

Result<Runtime> open_runtime(int state, const std::string& server) {
    const auto runtimes = open_runtimes(state);
    if (!runtimes) return std::unexpected(runtimes.error());
    auto directory = open_locked(runtimes->get(), server, false);
    if (!directory) return std::unexpected(directory.error());
    Runtime runtime;
    runtime.server = server;
    runtime.directory = std::move(*directory);
    return runtime;
}

Result<Runtime> make_runtime(int state, const std::string& server, Owner owner) {
    const auto runtimes = open_runtimes(state);
    if (!runtimes) return std::unexpected(runtimes.error());
    auto directory = open_locked(runtimes->get(), server, true);
    if (!directory) return std::unexpected(directory.error());
    Runtime runtime;
    runtime.server = server;
    runtime.directory = std::move(*directory);
    const int at = runtime.directory.get();
    if (auto checked = check_roots_own(at, "runtime/" + server); !checked)
        return std::unexpected(checked.error());
    const auto make = [at](const char* name, mode_t mode, Fd& into) -> Result<> {
        if (auto made = make_directory(at, name, mode); !made) return made;
        auto opened = kernel::open_beneath(at, name);
        if (!opened) return std::unexpected(opened.error());
        into = std::move(*opened);
        return {};
    };
    if (auto made = make("upper", 0700, runtime.upper); !made) return std::unexpected(made.error());
    if (auto made = make("work", 0700, runtime.work); !made) return std::unexpected(made.error());
    // The merged root shows upper's owner and mode. Set-group-ID, so that left4me can read what its servers
    // write.
    if (auto given = give_to(runtime.upper, owner, 02770); !given) return std::unexpected(given.error());
    if (runtime.is_mounted()) return runtime;  // an open descriptor of a mounted root would keep it busy
    if (auto made = make("merged", 0755, runtime.merged); !made) return std::unexpected(made.error());
    return runtime;
}

}  // namespace left4me::overlay
