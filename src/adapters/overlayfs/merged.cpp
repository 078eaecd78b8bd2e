#include "adapters/overlayfs/merged.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>

#include "adapters/directory_stream.hpp"
#include "adapters/fd.hpp"
#include "adapters/path_names.hpp"

namespace left4me {

namespace {

LayerEntry entry_at(int directory, const std::string& name) {
    struct stat status{};
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        const bool absent = errno == ENOENT || errno == ENOTDIR;
        return {.file = absent ? LayerFile::None : LayerFile::Unreadable};
    }
    if (S_ISREG(status.st_mode))
        return {.file = LayerFile::File, .size = static_cast<std::uint64_t>(status.st_size)};
    if (S_ISDIR(status.st_mode)) return {.file = LayerFile::Directory};
    if (S_ISLNK(status.st_mode)) return {.file = LayerFile::Link};
    const bool whiteout = S_ISCHR(status.st_mode) && status.st_rdev == 0;
    return {.file = whiteout ? LayerFile::Whiteout : LayerFile::Other};
}

Fd open_inside(int directory, const std::string& name) {
    constexpr int flags = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    Fd opened(::openat(directory, name.c_str(), O_RDONLY | flags));
    // A directory that may only be passed through.
    if (!opened && errno == EACCES) opened = Fd(::openat(directory, name.c_str(), O_PATH | flags));
    return opened;
}

bool is_opaque(int directory, const std::string& name) {
    const Fd opened = open_inside(directory, name);
    char value = 0;
    return opened && ::fgetxattr(opened.get(), "trusted.overlay.opaque", &value, 1) == 1 && value == 'y';
}

/// Sets `seen` of what every layer has under one name. `shows`: whether the merged directory above shows the
/// layer's directory.
void merge(std::vector<LayerEntry>& entries, const std::vector<bool>& shows,
           const std::function<bool(std::size_t)>& opaque) {
    bool directory = false;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        if (!shows[i]) continue;
        switch (entries[i].file) {
            case LayerFile::None:
                continue;
            case LayerFile::Directory:
                entries[i].seen = directory = true;
                if (opaque(i)) return;
                continue;
            case LayerFile::File:
            case LayerFile::Link:
            case LayerFile::Other:
                entries[i].seen = !directory;
                return;
            case LayerFile::Whiteout:
            case LayerFile::Unreadable:  // nobody can tell what it hides
                return;
        }
    }
}

/// The directories of all layers at one path.
class Level {
  public:
    explicit Level(const LayerStack& stack) {
        bool known = true;  // below a layer that cannot be opened, nobody can tell what is seen
        for (const int layer : stack.layers) {
            directories_.push_back(layer < 0 ? Fd() : open_inside(layer, "."));
            known = known && directories_.back();
            entries_.push_back({.file = directories_.back() ? LayerFile::Directory : LayerFile::Unreadable,
                                .size = 0,
                                .seen = known});
        }
    }

    void enter(const std::string& name) {
        const std::vector<bool> above = shows();
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (directories_[i]) {
                entries_[i] = entry_at(directories_[i].get(), name);
            } else if (entries_[i].file != LayerFile::Unreadable) {
                entries_[i] = {};
            }
        }
        merge(entries_, above, [&](std::size_t i) { return is_opaque(directories_[i].get(), name); });
        for (std::size_t i = 0; i < entries_.size(); ++i) {
            if (!directories_[i]) continue;
            Fd below;
            if (entries_[i].file == LayerFile::Directory) {
                below = open_inside(directories_[i].get(), name);
                if (!below) entries_[i] = {.file = LayerFile::Unreadable};
            }
            directories_[i] = std::move(below);
        }
    }

    /// Of each layer, whether the merged tree shows its directory.
    std::vector<bool> shows() const {
        std::vector<bool> seen;
        for (const LayerEntry& entry : entries_)
            seen.push_back(entry.seen && entry.file == LayerFile::Directory);
        return seen;
    }
    /// The uppermost layer has a directory here, which may be opaque.
    bool may_be_replaced() const { return !entries_.empty() && shows().front(); }
    const std::vector<LayerEntry>& entries() const { return entries_; }
    int directory(std::size_t layer) const { return directories_[layer].get(); }

  private:
    std::vector<Fd> directories_;
    std::vector<LayerEntry> entries_;
};

/// Whether the mounted tree has nothing at the path.
bool is_absent(int merged, std::string_view path) {
    Fd directory = open_inside(merged, ".");
    for (const std::string_view part : path_names(path)) {
        if (!directory) return false;
        const std::string name(part);
        if (entry_at(directory.get(), name).file == LayerFile::None) return true;
        directory = open_inside(directory.get(), name);
    }
    return false;
}

void hide_lower_layers(PathInLayers& found) {
    for (std::size_t i = 1; i < found.layers.size(); ++i) found.layers[i].seen = false;
}

}  // namespace

std::optional<std::size_t> PathInLayers::provider() const {
    const auto seen =
        std::find_if(layers.begin(), layers.end(), [](const LayerEntry& entry) { return entry.seen; });
    if (seen == layers.end()) return std::nullopt;
    return static_cast<std::size_t>(std::distance(layers.begin(), seen));
}

PathInLayers find_in_layers(const LayerStack& stack, std::string_view path) {
    Level level(stack);
    bool may_be_replaced = false;
    for (const std::string_view name : path_names(path)) {
        level.enter(std::string(name));
        may_be_replaced = may_be_replaced || level.may_be_replaced();
    }
    PathInLayers found;
    found.layers = level.entries();
    const auto provider = found.provider();
    if (provider && *provider > 0 && may_be_replaced && stack.merged >= 0 && is_absent(stack.merged, path)) {
        hide_lower_layers(found);
        found.hidden_by_directory = true;
    }
    return found;
}

std::optional<MergedDirectory> list_merged(const LayerStack& stack, std::string_view path) {
    Level level(stack);
    for (const std::string_view name : path_names(path)) level.enter(std::string(name));
    const std::vector<bool> shows = level.shows();
    if (std::find(shows.begin(), shows.end(), true) == shows.end()) return std::nullopt;
    MergedDirectory merged;
    std::map<std::string, std::vector<std::size_t>> names;  // the layers that have each
    for (std::size_t i = 0; i < shows.size() && !merged.more; ++i) {
        const DirectoryStream stream = shows[i] ? open_stream(level.directory(i), ".") : nullptr;
        while (const dirent* entry = stream ? ::readdir(stream.get()) : nullptr) {
            const std::string_view name = entry->d_name;
            if (name == "." || name == "..") continue;
            if (names.size() >= max_merged_names && !names.contains(entry->d_name)) {
                merged.more = true;
                break;
            }
            names[entry->d_name].push_back(i);
        }
    }
    // In a directory that was made anew, everything of the lower layers is absent.
    Fd mounted;
    if (stack.merged >= 0 && level.may_be_replaced()) {
        mounted = open_inside(stack.merged, ".");
        for (const std::string_view name : path_names(path)) {
            if (mounted) mounted = open_inside(mounted.get(), std::string(name));
        }
    }
    for (const auto& [name, layers] : names) {
        std::vector<LayerEntry> entries(shows.size());
        for (const std::size_t i : layers) entries[i] = entry_at(level.directory(i), name);
        const bool several = layers.size() > 1;
        merge(entries, shows, [&](std::size_t i) { return several && is_opaque(level.directory(i), name); });
        PathInLayers found{std::move(entries), false};
        const auto provider = found.provider();
        if (!provider) continue;
        if (*provider > 0 && mounted && entry_at(mounted.get(), name).file == LayerFile::None) continue;
        MergedName shown{name, found.layers[*provider].file, *provider, 0, 0};
        for (const std::size_t i : layers) {
            if (found.layers[i].seen) ++shown.merged;
            if (!found.layers[i].seen) ++shown.shadowed;
        }
        merged.names.push_back(std::move(shown));
    }
    return merged;
}

}  // namespace left4me
