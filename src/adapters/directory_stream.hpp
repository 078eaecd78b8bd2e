#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "adapters/fd.hpp"

namespace left4me {

struct CloseDirectory {
    void operator()(DIR* directory) const { (void)::closedir(directory); }
};
using DirectoryStream = std::unique_ptr<DIR, CloseDirectory>;

/// Opens `name` in `parent` for readdir(3) without following links, however hostile the names are. `more`
/// adds restrictions for openat2(2): RESOLVE_NO_XDEV. nullptr with errno: ENOTDIR or ELOOP: not a directory;
/// EXDEV: something is mounted there.
inline DirectoryStream open_stream(int parent, const std::string& name, std::uint64_t more = 0) {
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS | more;
    Fd fd(static_cast<int>(::syscall(SYS_openat2, parent, name.c_str(), &how, sizeof how)));
    if (!fd) return nullptr;
    DirectoryStream directory(::fdopendir(fd.get()));
    if (directory) (void)fd.release();
    return directory;
}

}  // namespace left4me
