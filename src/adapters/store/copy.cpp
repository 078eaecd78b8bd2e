#include "adapters/store/copy.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "adapters/store/content.hpp"

namespace left4me::store {

namespace {

using Kind = TreeEntry::Kind;

Done copy_file(int source, const TreeEntry& entry, int destination) {
    const auto from = open_file(source, entry);
    if (!from) return std::unexpected(from.error());
    const mode_t mode = entry.kind == Kind::Program ? overlay_program_mode : overlay_file_mode;
    const Fd into(
        ::openat(destination, entry.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!into) return io_error(entry.path);
    const auto copied = copy_content(from->get(), into.get(), entry.path, [](std::uint64_t) {});
    if (!copied) return std::unexpected(copied.error());
    return {};
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
