#include "adapters/store/regular_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "adapters/store/files.hpp"

namespace left4me::store {

namespace {

void list_files(int directory, const std::string& prefix, int depth, std::vector<RegularFile>& files) {
    if (depth > max_tree_depth) return;
    for (const std::string& name : list(directory)) {
        struct stat status{};
        if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (S_ISDIR(status.st_mode)) {
            const Fd inside = open_directory(directory, name);
            if (inside) list_files(inside.get(), prefix + name + "/", depth + 1, files);
        } else if (S_ISREG(status.st_mode)) {
            const auto size = static_cast<std::uint64_t>(status.st_size);
            files.push_back({prefix + name, size,
                             std::min(size, static_cast<std::uint64_t>(status.st_blocks) * 512),
                             status.st_ino});
        }
    }
}

}  // namespace

std::vector<RegularFile> regular_files(int tree) {
    std::vector<RegularFile> files;
    list_files(tree, "", 0, files);
    return files;
}

}  // namespace left4me::store
