#include "adapters/watch/tree_watch.hpp"

#include <fmt/format.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace left4me {
namespace {

namespace fs = std::filesystem;

// Without IN_MODIFY: a writer is noticed when it closes the file. IN_ATTRIB: what was unreadable may be
// readable now.
constexpr std::uint32_t changes = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO |
                                  IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR | IN_MASK_ADD;
/// Events that change the set of watched directories.
constexpr std::uint32_t upheavals = IN_Q_OVERFLOW | IN_UNMOUNT | IN_DELETE_SELF | IN_MOVE_SELF;
/// Manifests and game files are never nested deeper, and a loop of bind mounts must end somewhere.
constexpr int deepest = 32;

/// Temporary files of editors; readers skip them, too.
bool is_leftover(const char* name) {
    const std::string_view text(name);
    return text.ends_with('~') || text.ends_with(".swp") || text.ends_with(".swx") || text == "4913";
}

}  // namespace

TreeWatch::TreeWatch(std::vector<fs::path> roots) : roots_(std::move(roots)) { arm(); }

/// A new inotify instance each time: it is empty, and pending events of the old one do not matter.
void TreeWatch::arm() {
    trouble_.clear();
    trees_.clear();
    parents_.clear();
    ++instance_;
    inotify_ = Fd(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    if (!inotify_) {
        trouble_ = fmt::format("inotify: {} (see fs.inotify.max_user_instances)", std::strerror(errno));
        return;
    }
    for (const fs::path& root : roots_) {
        add_parent(root);
        add_tree(root.string(), 0);
    }
}

/// The nearest existing directory above the root; the root, or a parent of it, will appear there.
void TreeWatch::add_parent(const fs::path& root) {
    for (fs::path path = root; path.has_relative_path(); path = path.parent_path()) {
        const int watch = add(path.parent_path().string());
        if (watch < 0) continue;
        parents_.emplace(watch, path.filename().string());
        return;
    }
}

int TreeWatch::add(const std::string& directory) {
    const int watch = inotify_add_watch(inotify_.get(), directory.c_str(), changes);
    if (watch < 0 && errno == ENOSPC) {
        trouble_ =
            fmt::format("{}: no inotify watch is left for it (see fs.inotify.max_user_watches)", directory);
    }
    return watch;
}

void TreeWatch::add_tree(const std::string& directory, int depth) {
    if (depth > deepest) return;
    const int watch = add(directory);
    if (watch < 0) return;
    trees_[watch] = directory;
    // Watch first, then list: whatever appears in between is seen by one of the two.
    std::error_code error;
    for (fs::directory_iterator entry(directory, error); !error && entry != fs::directory_iterator();
         entry.increment(error)) {
        std::error_code ignored;
        if (entry->is_directory(ignored) && !entry->is_symlink(ignored))
            add_tree(entry->path().string(), depth + 1);
    }
}

bool TreeWatch::drain() {
    alignas(inotify_event) std::array<char, 16 * 1024> buffer{};
    bool changed = false;
    bool rearm = false;
    std::vector<std::string> appeared;
    for (;;) {
        const ssize_t got = ::read(inotify_.get(), buffer.data(), buffer.size());
        if (got <= 0) break;
        for (ssize_t at = 0; at < got;) {
            inotify_event event{};
            std::memcpy(&event, buffer.data() + at, sizeof event);
            const char* const name = event.len > 0 ? buffer.data() + at + sizeof event : "";
            at += static_cast<ssize_t>(sizeof event + event.len);
            if ((event.mask & IN_Q_OVERFLOW) != 0) rearm = true;
            const bool upheaval = (event.mask & upheavals) != 0;
            const auto [first, last] = parents_.equal_range(event.wd);
            for (auto parent = first; parent != last; ++parent)
                rearm = rearm || upheaval || parent->second == name;
            const auto tree = trees_.find(event.wd);
            const bool in_tree = tree != trees_.end();
            const bool counts = in_tree && (event.len == 0 || !is_leftover(name));
            const bool is_directory = counts && (event.mask & IN_ISDIR) != 0;
            changed = changed || counts;
            // The watches of a directory move with it.
            rearm = rearm || (in_tree && upheaval) || (is_directory && (event.mask & IN_MOVED_FROM) != 0);
            if (is_directory && (event.mask & (IN_CREATE | IN_MOVED_TO)) != 0)
                appeared.push_back(tree->second + "/" + name);
            if ((event.mask & IN_IGNORED) != 0) {
                trees_.erase(event.wd);
                parents_.erase(event.wd);
            }
        }
    }
    if (rearm) {
        arm();
        return true;
    }
    for (const std::string& directory : appeared) add_tree(directory, 0);
    return changed;
}

}  // namespace left4me
