#include "adapters/store/files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace left4me::store {

namespace {

constexpr int max_depth = 256;  // for removal; every level holds a descriptor

Done remove_beneath(int directory, const std::string& name, int depth) {
    if (::unlinkat(directory, name.c_str(), 0) == 0 || errno == ENOENT) return {};
    if (errno != EISDIR && errno != EPERM) return io_error(name);
    const Fd inside(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!inside) return io_error(name);
    if (depth >= max_depth) return std::unexpected(name + ": directories are nested too deeply");
    for (const std::string& child : list(inside.get())) {
        if (auto removed = remove_beneath(inside.get(), child, depth + 1); !removed) {
            return std::unexpected(name + "/" + removed.error());
        }
    }
    if (::unlinkat(directory, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return io_error(name);
    return {};
}

}  // namespace

std::unexpected<std::string> io_error(const std::string& what) {
    const int number = errno;
    return std::unexpected(what + ": " + std::strerror(number));
}

ExactModes::ExactModes() : previous_(::umask(0)) {}
ExactModes::~ExactModes() { ::umask(previous_); }

Fd open_beneath(int root, const std::string& path, int flags, Links links) {
    open_how how{};
    how.flags = static_cast<decltype(how.flags)>(flags | O_CLOEXEC);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | (links == Links::None ? RESOLVE_NO_SYMLINKS : 0U);
    constexpr int max_attempts = 16;  // EAGAIN: something was renamed during the lookup
    long fd = -1;
    for (int attempt = 0; attempt < max_attempts; ++attempt) {
        fd = ::syscall(SYS_openat2, root, path.c_str(), &how, sizeof(how));
        if (fd >= 0 || errno != EAGAIN) break;
    }
    return Fd(static_cast<int>(fd));
}

Fd open_directory(int root, const std::string& path) {
    return open_beneath(root, path, O_RDONLY | O_DIRECTORY);
}

std::vector<std::string> list(int directory) {
    // Not readdir(3): it would consume the descriptor, and a pass lists thousands of small directories.
    std::vector<std::string> names;
    // From the beginning: a descriptor keeps its position, and btrfs does not show entries created after it
    // was opened until it is rewound.
    if (::lseek(directory, 0, SEEK_SET) != 0) return names;
    alignas(dirent64) std::array<char, 1U << 14U> buffer;
    while (true) {
        const ssize_t got = ::getdents64(directory, buffer.data(), buffer.size());
        if (got <= 0) return names;
        for (std::size_t at = 0; at < static_cast<std::size_t>(got);) {
            dirent64 entry;
            std::memcpy(&entry, buffer.data() + at, offsetof(dirent64, d_name));
            const std::string_view name = buffer.data() + at + offsetof(dirent64, d_name);
            if (name != "." && name != "..") names.emplace_back(name);
            at += entry.d_reclen;
        }
    }
}

std::optional<std::string> read_file(int root, const std::string& path, std::size_t limit, Links links) {
    // O_NONBLOCK: a FIFO in the file's place must not block a pass.
    const Fd file = open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, links);
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) return std::nullopt;
    if (!S_ISREG(status.st_mode)) {
        errno = EINVAL;
        return std::nullopt;
    }
    if (status.st_size > static_cast<off_t>(limit)) {
        errno = EFBIG;
        return std::nullopt;
    }
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    const auto read = read_at(file.get(), text, 0, path);
    if (!read) return std::nullopt;
    text.resize(read->size());
    return text;
}

std::expected<std::string_view, std::string> read_at(int file, std::string& buffer, std::uint64_t at,
                                                     const std::string& shown) {
    std::size_t length = 0;
    while (length < buffer.size()) {
        const ssize_t got =
            ::pread(file, buffer.data() + length, buffer.size() - length, static_cast<off_t>(at + length));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error(shown);
        if (got == 0) break;
        length += static_cast<std::size_t>(got);
    }
    return std::string_view(buffer.data(), length);
}

Done write_at(int file, std::string_view data, std::uint64_t at, const std::string& shown) {
    // ext4 of Linux 6.18 takes four times as long for a MiB in one call: docs/benchmarks.md.
    constexpr std::size_t most = 128UL * 1024;
    while (!data.empty()) {
        const ssize_t wrote =
            ::pwrite(file, data.data(), std::min(data.size(), most), static_cast<off_t>(at));
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return io_error(shown);
        data.remove_prefix(static_cast<std::size_t>(wrote));
        at += static_cast<std::uint64_t>(wrote);
    }
    return {};
}

Done write_all(int file, std::string_view text, const std::string& shown) {
    while (!text.empty()) {
        const ssize_t wrote = ::write(file, text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return io_error(shown);
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
}

Done write_new(int root, const std::string& path, std::string_view text, mode_t mode, mode_t directory_mode) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
        const std::string parent = path.substr(0, slash);
        if (::mkdirat(root, parent.c_str(), directory_mode) != 0 && errno != EEXIST) return io_error(parent);
    }
    const Fd parent =
        open_directory(root, path.find('/') == std::string::npos ? "." : path.substr(0, path.rfind('/')));
    if (!parent) return io_error(path);
    const std::string name = path.substr(path.rfind('/') + 1);
    const Fd file(
        ::openat(parent.get(), name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file) return io_error(path);
    return write_all(file.get(), text, path);
}

std::expected<Fd, std::string> make_directory(int root, const std::string& path, mode_t mode) {
    if (::mkdirat(root, path.c_str(), mode) != 0 && errno != EEXIST) return io_error(path);
    Fd directory = open_directory(root, path);
    if (!directory) return io_error(path);
    return directory;
}

Done remove_tree(int directory, const std::string& name) { return remove_beneath(directory, name, 0); }

Done replace_symlink(int directory, const std::string& name, const std::string& target) {
    const std::string fresh = "." + name;
    if (auto removed = remove_tree(directory, fresh); !removed) return removed;
    if (::symlinkat(target.c_str(), directory, fresh.c_str()) != 0) return io_error(name);
    if (::renameat(directory, fresh.c_str(), directory, name.c_str()) == 0) return {};
    // A rename cannot replace a directory; somebody must have created it by hand.
    if (errno != EISDIR && errno != EEXIST && errno != ENOTEMPTY) return io_error(name);
    if (auto removed = remove_tree(directory, name); !removed) return removed;
    if (::renameat(directory, fresh.c_str(), directory, name.c_str()) != 0) return io_error(name);
    return {};
}

Done sweep(int directory) {
    const Fd again = open_directory(directory, ".");
    for (const std::string& name : list(again.get())) {
        if (!name.starts_with('.') || name == build_directory) continue;
        if (auto removed = remove_tree(directory, name); !removed) return removed;
    }
    return {};
}

}  // namespace left4me::store
