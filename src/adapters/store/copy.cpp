#include "adapters/store/copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace left4me::store {

namespace {

using Kind = TreeEntry::Kind;

Done copy_by_hand(int from, int into, const std::string& path) {
    std::string buffer(1U << 18U, '\0');
    while (true) {
        const ssize_t got = ::read(from, buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error(path);
        if (got == 0) return {};
        const std::string_view piece(buffer.data(), static_cast<std::size_t>(got));
        if (auto wrote = write_all(into, piece, path); !wrote) return wrote;
    }
}

Done copy_file(int source, const TreeEntry& entry, int destination) {
    const Fd from = open_beneath(source, entry.path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (!from) return io_error(entry.path);
    const mode_t mode = entry.kind == Kind::Program ? overlay_program_mode : overlay_file_mode;
    const Fd into(::openat(destination, entry.path.c_str(),
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!into) return io_error(entry.path);
    constexpr std::size_t step = 1U << 30U;
    while (true) {
        const ssize_t copied = ::copy_file_range(from.get(), nullptr, into.get(), nullptr, step, 0);
        if (copied > 0 || (copied < 0 && errno == EINTR)) continue;
        // Nothing more, or not between these two file systems. Some answer 0 for files that are not empty:
        // read on by hand.
        return copy_by_hand(from.get(), into.get(), entry.path);
    }
}

}  // namespace

Done copy_tree(int source, const Tree& tree, int destination) {
    for (const TreeEntry& entry : tree.entries) {
        if (entry.kind == Kind::Directory) {
            if (::mkdirat(destination, entry.path.c_str(), overlay_directory_mode) != 0)
                return io_error(entry.path);
        } else if (entry.kind == Kind::Link) {
            if (::symlinkat(entry.target.c_str(), destination, entry.path.c_str()) != 0)
                return io_error(entry.path);
        } else if (auto copied = copy_file(source, entry, destination); !copied) {
            return copied;
        }
    }
    return {};
}

Done write_inline(const std::map<std::string, std::string>& files, int destination) {
    for (const auto& [path, text] : files) {
        auto wrote = write_new(destination, path, text, overlay_file_mode, overlay_directory_mode);
        if (!wrote) return wrote;
    }
    return {};
}

}  // namespace left4me::store
