#include "adapters/store/rendering.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <set>

#include "adapters/lines.hpp"
#include "reconciler/desired.hpp"
#include "specs/writable.hpp"

namespace left4me::store {

namespace {

// Renderings may contain secrets, so others get no access. In the layer, the game's group may write, so that
// the game may copy files up.
constexpr mode_t directory_mode = 0750;
constexpr mode_t file_mode = 0640;
constexpr mode_t layer_directory_mode = 0770;
constexpr mode_t layer_file_mode = 0660;

constexpr const char* writable_name = "writable";
constexpr std::size_t max_text_bytes = 1U << 20U;

std::string join(const std::string& directory, const std::string& name) {
    return directory.empty() ? name : directory + "/" + name;
}

/// The directories of a rendering and the names in them.
using Directories = std::map<std::string, std::set<std::string>>;

Directories directories_of(const Rendering& rendering) {
    Directories made;
    for (const RenderedFile& file : rendering.files) {
        std::string rest = file.path;
        while (true) {
            const std::size_t slash = rest.rfind('/');
            const bool top = slash == std::string::npos;
            made[top ? "" : rest.substr(0, slash)].insert(rest.substr(top ? 0 : slash + 1));
            if (top) break;
            rest.resize(slash);
        }
    }
    return made;
}

mode_t mode_of(const std::string& directory) {
    return directory.starts_with("layer") ? layer_directory_mode : directory_mode;
}

bool has_mode(const struct stat& status, mode_t mode) { return (status.st_mode & 0777U) == mode; }

bool is_intact(int directory, const std::string& name, const RenderedFile& file) {
    const Fd opened(
        ::openat(directory, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat status{};
    if (!opened || ::fstat(opened.get(), &status) != 0) return false;
    if (!S_ISREG(status.st_mode) || !has_mode(status, file.mode)) return false;
    if (status.st_size != static_cast<off_t>(file.text.size())) return false;
    std::string text(file.text.size() + 1, '\0');
    const ssize_t got = ::read(opened.get(), text.data(), text.size());
    if (got != static_cast<ssize_t>(file.text.size())) return false;
    return text.compare(0, file.text.size(), file.text) == 0;
}

const RenderedFile* find_file(const Rendering& rendering, const std::string& path) {
    for (const RenderedFile& file : rendering.files) {
        if (file.path == path) return &file;
    }
    return nullptr;
}

/// Writes into the existing inode: a mounted overlay keeps showing the inodes that it has looked up, so a
/// running server would not see a file that was renamed into place.
bool rewrite(int directory, const std::string& name, const RenderedFile& file) {
    const Fd opened(
        ::openat(directory, name.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat status{};
    if (!opened || ::fstat(opened.get(), &status) != 0) return false;
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1)
        return false;  // a second hard link may be somebody else's file
    if (!has_mode(status, file.mode) && ::fchmod(opened.get(), file.mode) != 0) return false;
    return ::ftruncate(opened.get(), 0) == 0 && write_all(opened.get(), file.text, name).has_value();
}

Done repair_file(int directory, const std::string& name, const RenderedFile& file) {
    if (is_intact(directory, name, file) || rewrite(directory, name, file)) return {};
    if (auto removed = remove_tree(directory, name); !removed) return removed;
    return write_new(directory, name, file.text, file.mode, layer_directory_mode);
}

/// Repairs a directory: not a link, not another mode, not a file.
std::expected<Fd, std::string> repair_directory(int parent, const std::string& name, mode_t mode) {
    Fd opened = open_directory(parent, name);
    struct stat status{};
    const bool there = opened && ::fstat(opened.get(), &status) == 0;
    // Keeps the inherited set-group-ID bit.
    if (there && (has_mode(status, mode) || ::fchmod(opened.get(), mode | (status.st_mode & S_ISGID)) == 0))
        return opened;
    if (auto removed = remove_tree(parent, name); !removed) return std::unexpected(removed.error());
    return make_directory(parent, name, mode);
}

Done repair(int rendering_directory, const Rendering& rendering, const Directories& directories,
            const std::string& path) {
    const std::set<std::string>& names = directories.at(path);
    for (const std::string& name : list(rendering_directory)) {
        if (names.contains(name)) continue;
        if (auto removed = remove_tree(rendering_directory, name); !removed) return removed;
    }
    for (const std::string& name : names) {
        const std::string inner = join(path, name);
        if (const RenderedFile* file = find_file(rendering, inner)) {
            if (auto done = repair_file(rendering_directory, name, *file); !done) return done;
            continue;
        }
        const auto directory = repair_directory(rendering_directory, name, mode_of(inner));
        if (!directory) return std::unexpected(directory.error());
        if (auto done = repair(directory->get(), rendering, directories, inner); !done) return done;
    }
    return {};
}

void compare_tree(int directory, const Rendering& rendering, const Directories& directories,
                  const std::string& path, std::vector<std::string>& damaged) {
    const std::set<std::string>& names = directories.at(path);
    for (const std::string& name : list(directory)) {
        if (!names.contains(name)) damaged.push_back(join(path, name));
    }
    for (const std::string& name : names) {
        const std::string inner = join(path, name);
        if (const RenderedFile* file = find_file(rendering, inner)) {
            if (!is_intact(directory, name, *file)) damaged.push_back(inner);
            continue;
        }
        const Fd inside(::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        struct stat status{};
        if (!inside || ::fstat(inside.get(), &status) != 0 || !has_mode(status, mode_of(inner))) {
            damaged.push_back(inner);
        } else {
            compare_tree(inside.get(), rendering, directories, inner, damaged);
        }
    }
}

}  // namespace

Rendering make_rendering(const TargetRendering& target) {
    Rendering rendering{target.digest(),
                        {
                            {"server.env", target.environment(), file_mode},
                            {"layers", fmt::format("{}\n", fmt::join(target.layers(), "\n")), file_mode},
                            {join("layer", server_config), target.config(), layer_file_mode},
                        }};
    for (std::size_t i = 0; i < target.executed().size(); ++i) {
        rendering.files.push_back({join("layer", executed_config_path(target.execute_configs()[i])),
                                   *target.executed()[i], layer_file_mode});
    }
    if (std::string cvars = target.cvars(); !cvars.empty())
        rendering.files.push_back({join("layer", cvars_config), std::move(cvars), layer_file_mode});
    if (target.writable()) rendering.files.push_back({writable_name, *target.writable(), file_mode});
    return rendering;
}

std::optional<std::uint16_t> port_in(std::string_view environment) {
    constexpr std::string_view key = "L4D2_PORT=";
    const std::size_t at = environment.starts_with(key) ? 0 : environment.find("\nL4D2_PORT=");
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view value = environment.substr(environment.find('=', at) + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), port);
    if (error != std::errc() || end == value.data()) return std::nullopt;
    return port;
}

std::optional<ObservedRendering> read_rendering(int instance, const std::string& digest) {
    const Fd directory(::openat(instance, digest.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!directory) return std::nullopt;
    const auto environment = read_file(directory.get(), "server.env", max_text_bytes);
    const auto layers = read_file(directory.get(), "layers", max_text_bytes);
    if (!environment || !layers) return std::nullopt;
    if (!open_directory(directory.get(), "layer")) return std::nullopt;
    ObservedRendering rendering;
    for (const std::string_view layer : lines_of(*layers)) rendering.layers.emplace_back(layer);
    rendering.port = port_in(*environment);
    return rendering;
}

std::vector<std::string> find_damage(int instance, const Rendering& rendering) {
    const std::string& name = rendering.digest;
    const Fd directory(::openat(instance, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    struct stat status{};
    if (!directory || ::fstat(directory.get(), &status) != 0) return {"."};
    std::vector<std::string> damaged;
    compare_tree(directory.get(), rendering, directories_of(rendering), "", damaged);
    if (damaged.empty() && !has_mode(status, directory_mode)) damaged.emplace_back(".");
    std::sort(damaged.begin(), damaged.end());
    return damaged;
}

std::optional<StatFingerprint> stat_rendering(int instances, const std::string& server,
                                              const Rendering& rendering) {
    Metadata metadata;
    std::string path = fmt::format("{}/{}", server, rendering.digest);
    const std::size_t above = path.size();
    const auto note = [&](std::string_view part) {
        struct stat status{};
        path.resize(above);
        if (!part.empty()) (path += '/') += part;
        if (::fstatat(instances, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
        metadata.note(part, status);
        return true;
    };
    // Without a map of all directories, because this is done for every server in every pass.
    std::vector<std::string_view> noted{""};
    if (!note("")) return std::nullopt;
    for (const RenderedFile& file : rendering.files) {
        const std::string_view whole = file.path;
        for (std::size_t end = 0; end != std::string_view::npos;) {
            end = whole.find('/', end == 0 ? 0 : end + 1);
            const std::string_view part = whole.substr(0, end);
            if (std::find(noted.begin(), noted.end(), part) != noted.end()) continue;
            if (!note(part)) return std::nullopt;
            noted.push_back(part);
        }
    }
    return metadata.finish();
}

Done write_rendering(int instance, const Rendering& rendering) {
    const std::string& digest = rendering.digest;
    struct stat status{};
    const bool there = ::fstatat(instance, digest.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (there && S_ISDIR(status.st_mode)) {
        const auto directory = repair_directory(instance, digest, directory_mode);
        if (!directory) return std::unexpected(directory.error());
        return repair(directory->get(), rendering, directories_of(rendering), "");
    }
    if (there) {
        if (auto removed = remove_tree(instance, digest); !removed) return removed;
    }
    const std::string fresh = "." + digest;
    if (auto removed = remove_tree(instance, fresh); !removed) return removed;
    const auto directory = make_directory(instance, fresh, directory_mode);
    if (!directory) return std::unexpected(directory.error());
    if (auto done = repair(directory->get(), rendering, directories_of(rendering), ""); !done) return done;
    if (::renameat(instance, fresh.c_str(), instance, digest.c_str()) != 0) return io_error(digest);
    return {};
}

}  // namespace left4me::store
