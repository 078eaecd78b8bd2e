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

#include "adapters/directory_stream.hpp"

namespace left4me {
namespace {

constexpr int max_depth = 32;

using Clock = std::chrono::steady_clock;
using Done = std::expected<bool, std::string>;  // false: the deadline passed

std::unexpected<std::string> failed(std::string_view what, const std::string& name) {
    return std::unexpected(std::string(what) + " " + name + ": " + std::strerror(errno));
}

bool is_dots(std::string_view name) { return name == "." || name == ".."; }

/// Removes directories from the leaves up. Entries that are too deep are moved to the top and removed in
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
        const DirectoryStream child = open_stream(parent, name, RESOLVE_NO_XDEV);
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
    const DirectoryStream top = open_stream(parent, name, RESOLVE_NO_XDEV);
    if (!top) return errno == ENOENT ? Done(true) : failed("cannot open", name);
    Remover remover(dirfd(top.get()), deadline);
    for (;;) {
        if (Done done = remover.empty(top.get(), 0); !done || !*done) return done;
        if (unlinkat(parent, name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return true;
        // Something was moved behind the reading position: another round.
        if (errno != ENOTEMPTY) return failed("cannot remove", name);
        rewinddir(top.get());
    }
}

}  // namespace left4me
