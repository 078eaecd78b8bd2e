#include "adapters/remove_tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>

namespace left4me {
namespace {

constexpr int max_depth = 32;

struct CloseDir {
    void operator()(DIR* directory) const { (void)closedir(directory); }
};
using Directory = std::unique_ptr<DIR, CloseDir>;
using Clock = std::chrono::steady_clock;
using Done = std::expected<bool, std::string>;  // false: the deadline passed

std::unexpected<std::string> failed(std::string_view what, const std::string& name) {
    return std::unexpected(std::string(what) + " " + name + ": " + std::strerror(errno));
}

Directory open_directory(int parent, const std::string& name) {
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
    const long fd = syscall(SYS_openat2, parent, name.c_str(), &how, sizeof how);
    if (fd < 0) return nullptr;
    Directory directory(fdopendir(static_cast<int>(fd)));
    if (!directory) (void)close(static_cast<int>(fd));
    return directory;
}

bool is_dots(std::string_view name) { return name == "." || name == ".."; }

/// Empties directories from the leaves up; what lies too deep is moved up to the top and dealt with in
/// another round.
class Remover {
  public:
    Remover(int top, Clock::time_point deadline) : top_(top), deadline_(deadline) {}

    Done empty(DIR* directory, int depth) {
        const int fd = dirfd(directory);
        for (;;) {
            errno = 0;
            const dirent* entry = readdir(directory);
            if (entry == nullptr) return errno == 0 ? Done(true) : failed("cannot read", "directory");
            if (is_dots(entry->d_name)) continue;
            if (Clock::now() >= deadline_) return false;
            if (Done done = remove(fd, entry->d_name, depth); !done || !*done) return done;
        }
    }

  private:
    Done remove(int parent, const std::string& name, int depth) {
        if (unlinkat(parent, name.c_str(), 0) == 0 || errno == ENOENT) return true;
        if (errno != EISDIR) return failed("cannot remove", name);
        if (depth >= max_depth) return move_up(parent, name);
        const Directory child = open_directory(parent, name);
        if (!child && errno == ENOENT) return true;  // another process removes the same tree
        if (!child)
            return errno == EXDEV ? failed("something is mounted at", name) : failed("cannot open", name);
        if (Done done = empty(child.get(), depth + 1); !done || !*done) return done;
        if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
        return failed("cannot remove", name);
    }

    Done move_up(int parent, const std::string& name) {
        for (;;) {
            const std::string target = ".deep-" + std::to_string(++moved_);
            if (renameat2(parent, name.c_str(), top_, target.c_str(), RENAME_NOREPLACE) == 0) return true;
            if (errno != EEXIST) return failed("cannot move", name);
        }
    }

    int top_;
    Clock::time_point deadline_;
    unsigned moved_ = 0;
};

}  // namespace

Done remove_tree(int parent, const std::string& name, Clock::time_point deadline) {
    const Directory top = open_directory(parent, name);
    if (!top) return errno == ENOENT ? Done(true) : failed("cannot open", name);
    Remover remover(dirfd(top.get()), deadline);
    for (;;) {
        if (Done done = remover.empty(top.get(), 0); !done || !*done) return done;
        if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
        // Something was moved up behind the reading position: another round.
        if (errno != ENOTEMPTY) return failed("cannot remove", name);
        rewinddir(top.get());
    }
}

}  // namespace left4me
