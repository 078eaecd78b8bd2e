#include "adapters/overlayfs/shadows.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string_view>

#include "adapters/directory_stream.hpp"

namespace left4me {

namespace {

constexpr std::size_t max_names = 5;
constexpr int max_depth = 24;

/// Files that the game, its plugin loaders or its scripts load as code.
bool is_code(std::string_view name) {
    constexpr std::array<std::string_view, 7> endings = {".so",  ".smx", ".vdf", ".nut",
                                                         ".vpk", ".sh",  ".dll"};
    return std::any_of(endings.begin(), endings.end(),
                       [name](std::string_view e) { return name.ends_with(e); });
}

class Inspector {
  public:
    Inspector(int state, const std::vector<std::string>& layers) : state_(state), layers_(layers) {}

    /// `writable`: nullptr within a directory that must not be kept.
    void inspect(const DirectoryStream& directory, const std::string& path, const Writable* writable,
                 int depth) {
        const int fd = ::dirfd(directory.get());
        while (const dirent* entry = ::readdir(directory.get())) {
            const std::string name = entry->d_name;
            if (name == "." || name == "..") continue;
            if (++looked_at_ > max_looked_at) {
                found_.more = true;
                return;
            }
            const WritableMatch match = writable == nullptr ? WritableMatch{} : writable->match(name);
            if (match.kept && !match.on_the_way) continue;
            const std::string inner = path + name;
            if (entry->d_type != DT_DIR) {
                if (match.on_the_way || match.rendered || is_code(name) || is_in_layers(inner)) note(inner);
                continue;
            }
            const DirectoryStream below = depth < max_depth ? open_stream(fd, name) : nullptr;
            if (!below || match.rendered) {
                note(inner);
            } else if (match.on_the_way) {
                const Writable further = writable->enter(name);
                inspect(below, inner + "/", &further, depth + 1);
            } else {
                inspect(below, inner + "/", nullptr, depth + 1);
            }
        }
    }

    /// Checks that the game sees the rendered file under its name.
    void compare(const std::string& server, const std::string& file) {
        struct stat rendered{};
        struct stat seen{};
        const std::string merged = "runtime/" + server + "/merged/" + file;
        const std::string layer = layers_.front() + "/" + file;
        if (::fstatat(state_, layer.c_str(), &rendered, AT_SYMLINK_NOFOLLOW) != 0) return;
        const bool same = ::fstatat(state_, merged.c_str(), &seen, AT_SYMLINK_NOFOLLOW) == 0 &&
                          seen.st_size == rendered.st_size && seen.st_mode == rendered.st_mode &&
                          seen.st_mtim.tv_sec == rendered.st_mtim.tv_sec &&
                          seen.st_mtim.tv_nsec == rendered.st_mtim.tv_nsec;
        if (!same && !rendered_is_told_) note(file);
    }

    Shadows take() { return std::move(found_); }
    void note(const std::string& path) {
        ++found_.count;
        const auto rendered = std::find(rendered_files.begin(), rendered_files.end(), path);
        rendered_is_told_ = rendered_is_told_ || rendered != rendered_files.end();
        if (found_.names.size() < max_names) found_.names.push_back(path);
    }

  private:
    bool is_in_layers(const std::string& path) const {
        return std::any_of(layers_.begin(), layers_.end(), [&](const std::string& layer) {
            struct stat status{};
            return ::fstatat(state_, (layer + "/" + path).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
        });
    }

    int state_;
    const std::vector<std::string>& layers_;
    std::size_t looked_at_ = 0;
    bool rendered_is_told_ = false;
    Shadows found_;
};

}  // namespace

Shadows find_shadows(int state, const std::string& server, const Writable& writable,
                     const std::vector<std::string>& layers) {
    Inspector inspector(state, layers);
    const DirectoryStream upper = open_stream(state, "runtime/" + server + "/upper");
    if (!upper) return {};
    inspector.inspect(upper, "", &writable, 0);
    if (!layers.empty()) {
        for (const std::string_view file : rendered_files) inspector.compare(server, std::string(file));
    }
    return inspector.take();
}

}  // namespace left4me
