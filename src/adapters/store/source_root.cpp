#include "adapters/store/source_root.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>

#include "adapters/store/files.hpp"

namespace left4me::store {

namespace {

/// One component at a time instead of openat2(2), which fails with ENOSYS in units with RestrictSUIDSGID=.
std::expected<Fd, std::string> enter(int parent, const std::string& name, std::uint64_t mount,
                                     const std::string& shown) {
    Fd inside(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (!inside) {
        const int error = errno;
        struct stat status{};
        if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(status.st_mode)) {
            return std::unexpected(
                shown + " is a symlink; name the directory that it leads to, in one of the overlay roots");
        }
        errno = error;
        return io_error(shown);
    }
    const auto entered = mount_of(inside.get(), shown);
    if (!entered) return std::unexpected(entered.error());
    if (*entered != mount) {
        return std::unexpected(shown +
                               " is a mount point; add it to overlayRoots in /etc/left4me/config.yaml, "
                               "or copy its files");
    }
    return inside;
}

}  // namespace

std::expected<std::uint64_t, std::string> mount_of(int fd, const std::string& shown) {
    struct statx status{};
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_MNT_ID, &status) != 0) return io_error(shown);
    if ((status.stx_mask & STATX_MNT_ID) == 0) {
        errno = ENOSYS;
        return io_error(shown + ": statx(2) with STATX_MNT_ID");
    }
    return status.stx_mnt_id;
}

bool is_file_on(int fd, std::uint64_t mount) {
    struct statx status{};
    constexpr unsigned wanted = STATX_TYPE | STATX_MNT_ID;
    return ::statx(fd, "", AT_EMPTY_PATH, wanted, &status) == 0 && (status.stx_mask & wanted) == wanted &&
           S_ISREG(status.stx_mode) && status.stx_mnt_id == mount;
}

std::expected<Fd, std::string> open_source(const DirectorySource& source) {
    Fd at(::open(source.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!at) return io_error(source.root);
    const auto mount = mount_of(at.get(), source.root);
    if (!mount) return std::unexpected(mount.error());
    std::size_t begin = source.root.size();
    while (begin < source.path.size()) {
        if (source.path[begin] == '/') {
            ++begin;
            continue;
        }
        const std::size_t end = std::min(source.path.find('/', begin), source.path.size());
        auto inside =
            enter(at.get(), source.path.substr(begin, end - begin), *mount, source.path.substr(0, end));
        if (!inside) return inside;
        at = std::move(*inside);
        begin = end;
    }
    return at;
}

std::expected<Fd, std::string> open_source_file(const std::string& path, const std::string& root) {
    const std::size_t slash = path.rfind('/');
    const auto parent = open_source({path.substr(0, std::max<std::size_t>(slash, 1)), root, {}});
    if (!parent) return std::unexpected(parent.error());
    Fd file(::openat(parent->get(), path.c_str() + slash + 1,
                     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file && errno == ELOOP)
        return std::unexpected(path + " is a symlink; name the file that it leads to");
    if (!file) return io_error(path);
    const auto mount = mount_of(parent->get(), path);
    if (!mount || !is_file_on(file.get(), *mount))
        return std::unexpected(path + " is not a file of its directory; put a copy there");
    return file;
}

}  // namespace left4me::store
