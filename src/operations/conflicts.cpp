#include "operations/conflicts.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string_view>
#include <utility>

#include "adapters/directory_stream.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/rollbacks.hpp"
#include "operations/artifact_in_use.hpp"
#include "operations/server_view.hpp"
#include "specs/writable.hpp"

namespace left4me::operations {

namespace {

constexpr std::size_t max_names = 200'000;  // of one overlay
constexpr std::size_t max_depth = 64;       // of an artifact
// Bytes of files with the same size; further ones count as equal.
constexpr std::uint64_t max_compared = std::uint64_t{1} << 28U;
constexpr std::size_t max_lines = 8;  // of the same overlays, and of one blueprint in a warning

/// Among the overlays of a conflict. No overlay needs to be told apart from it.
constexpr const char* installation = "the installation";

std::string_view parent_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

/// A file of an overlay: on disk, or its text.
struct File {
    const std::string* text = nullptr;
    std::uint64_t size = 0;
    dev_t device = 0;
    ino_t inode = 0;
};

/// The overlays that have a file at one path.
using Owners = std::vector<std::string>;

/// Counts by file become counts by directory, deepest first, until there are few.
void collapse(std::map<std::string, std::size_t>& counts) {
    const auto depth = [](const std::string& path) {
        const std::string_view inner =
            path.ends_with('/') ? std::string_view(path).substr(0, path.size() - 1) : std::string_view(path);
        return std::count(inner.begin(), inner.end(), '/');
    };
    while (counts.size() > max_lines) {
        long deepest = 0;
        for (const auto& [path, count] : counts) deepest = std::max<long>(deepest, depth(path));
        if (deepest == 0) return;
        std::map<std::string, std::size_t> fewer;
        for (const auto& [path, count] : counts) {
            if (depth(path) < deepest) {
                fewer[path] += count;
                continue;
            }
            const std::string_view inner =
                path.ends_with('/') ? std::string_view(path).substr(0, path.size() - 1) : path;
            fewer[std::string(parent_of(inner)) + "/"] += count;
        }
        counts = std::move(fewer);
    }
}

}  // namespace

/// The files of one overlay.
struct ConflictFinder::Files {
    Fd artifact;  ///< of one that is not inline
    std::map<std::string, File> files;
    std::set<std::string> directories;

    void add_directory(DirectoryStream stream, const std::string& prefix, std::size_t depth) {
        const int fd = ::dirfd(stream.get());
        while (const dirent* entry = ::readdir(stream.get())) {
            const std::string name = entry->d_name;
            if (name == "." || name == ".." || files.size() + directories.size() >= max_names) continue;
            struct stat status{};
            if (::fstatat(fd, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
            if (S_ISDIR(status.st_mode)) {
                directories.insert(prefix + name);
                if (DirectoryStream inner = depth < max_depth ? open_stream(fd, name) : nullptr)
                    add_directory(std::move(inner), prefix + name + "/", depth + 1);
            } else {
                files[prefix + name] = {nullptr, static_cast<std::uint64_t>(status.st_size), status.st_dev,
                                        status.st_ino};
            }
        }
    }

    void add_inline(const InlineSource& source) {
        for (const auto& [path, text] : source.files) {
            files[path] = {&text, text.size(), 0, 0};
            for (std::string_view above = parent_of(path); !above.empty(); above = parent_of(above))
                directories.emplace(above);
        }
    }

    Fd open(const std::string& path) const {
        return store::open_beneath(artifact.get(), path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    }
};

namespace {

/// Compares files of overlays, up to max_compared bytes in all.
class Comparison {
  public:
    template <typename Files>
    bool same(const Files& a, const Files& b, const std::string& path) {
        const File& left = a.files.at(path);
        const File& right = b.files.at(path);
        if (left.size != right.size) return false;
        if (left.text != nullptr && right.text != nullptr) return *left.text == *right.text;
        if (left.text == nullptr && right.text == nullptr && left.device == right.device &&
            left.inode == right.inode)
            return true;
        if (compared_ + left.size > max_compared) return true;
        compared_ += left.size;
        const Fd left_file = left.text == nullptr ? a.open(path) : Fd();
        const Fd right_file = right.text == nullptr ? b.open(path) : Fd();
        constexpr std::size_t part = 1U << 16U;
        std::string left_buffer(part, '\0');
        std::string right_buffer(part, '\0');
        for (std::uint64_t at = 0; at < left.size; at += part) {
            const auto next = [&](const File& file, const Fd& opened, std::string& buffer) {
                return file.text == nullptr
                           ? store::read_at(opened.get(), buffer, at, path).value_or(std::string_view())
                           : std::string_view(*file.text).substr(static_cast<std::size_t>(at), part);
            };
            if (next(left, left_file, left_buffer) != next(right, right_file, right_buffer)) return false;
        }
        return true;
    }

  private:
    std::uint64_t compared_ = 0;
};

}  // namespace

std::map<std::string, OverlayStack> stacks_of(const ManifestSet& set) {
    std::map<std::string, OverlayStack> stacks;
    for (const auto& [name, blueprint] : set.blueprints)
        stacks[name] = {blueprint.overlays, installation_of(set, blueprint)};
    return stacks;
}

std::map<std::string, OverlayStack> stacks_of(const Desired& desired) {
    std::map<std::string, OverlayStack> stacks;
    for (const auto& [name, server] : desired.servers)
        stacks[server.blueprint] = {server.overlays, server.installation};
    return stacks;
}

ConflictFinder::ConflictFinder(const Paths& paths, const std::map<std::string, OverlaySource>& sources)
    : paths_(paths), sources_(sources), rollbacks_(load_rollbacks(paths).value_or(Rollbacks())) {}
ConflictFinder::~ConflictFinder() = default;

const ConflictFinder::Files& ConflictFinder::files_of(const std::string& overlay) {
    const auto [known, first] = known_.try_emplace(overlay);
    Files& files = known->second;
    const auto source = sources_.find(overlay);
    if (!first || source == sources_.end()) return files;
    if (const auto* texts = std::get_if<InlineSource>(&source->second)) {
        files.add_inline(*texts);
        return files;
    }
    files.artifact = open_artifact_in_use(paths_, rollbacks_, overlay);
    if (DirectoryStream stream = files.artifact ? open_stream(files.artifact.get(), ".") : nullptr)
        files.add_directory(std::move(stream), "", 0);
    return files;
}

std::string ConflictFinder::installed_name(const std::string& game, const std::string& directory,
                                           const std::string& lower) {
    const auto [known, first] = installed_.try_emplace({game, directory});
    if (first) {
        const Fd root = game.empty()
                            ? Fd(::open(paths_.installation().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC))
                            : open_artifact_in_use(paths_, rollbacks_, game);
        const Fd opened =
            root ? store::open_directory(root.get(), directory.empty() ? "." : directory) : Fd();
        if (opened) {
            for (const std::string& name : store::list(opened.get())) known->second[lower_case(name)] = name;
        }
    }
    const auto name = known->second.find(lower);
    if (name == known->second.end()) return {};
    return directory.empty() ? name->second : directory + "/" + name->second;
}

std::vector<Conflict> ConflictFinder::find(const OverlayStack& stack) {
    std::map<std::string, Owners> owners;  // by path of a file
    std::map<std::pair<std::string, std::string>, std::map<std::string, Owners>> spellings;
    for (const std::string& overlay : stack.overlays) {
        const Files& files = files_of(overlay);
        const auto spell = [&](const std::string& path) {
            const std::string_view above = parent_of(path);
            const std::size_t name = above.empty() ? 0 : above.size() + 1;
            spellings[{std::string(above), lower_case(path.substr(name))}][path].push_back(overlay);
        };
        for (const auto& [path, file] : files.files) {
            if (path != server_config) owners[path].push_back(overlay);
            spell(path);
        }
        for (const std::string& path : files.directories) spell(path);
    }
    Comparison comparison;
    std::map<Owners, std::map<std::string, std::size_t>> counts;  // of files, by the overlays that have them
    for (const auto& [path, overlays] : owners) {
        const bool differ = std::any_of(overlays.begin(), overlays.end(), [&](const std::string& overlay) {
            return !comparison.same(files_of(overlays.front()), files_of(overlay), path);
        });
        if (differ) ++counts[overlays][path];
    }
    std::vector<Conflict> conflicts;
    for (auto& [overlays, paths] : counts) {
        collapse(paths);
        for (const auto& [path, files] : paths)
            conflicts.push_back({Conflict::Kind::SamePath, {path}, files, overlays});
    }
    for (auto& [place, paths] : spellings) {
        const std::string installed = installed_name(stack.installation, place.first, place.second);
        if (!installed.empty()) paths[installed].emplace_back(installation);
        if (paths.size() < 2) continue;
        Conflict conflict{Conflict::Kind::OtherCase, {}, 1, {}};
        for (const auto& [path, overlays] : paths) conflict.paths.push_back(path);
        std::vector<std::string> layers = stack.overlays;
        layers.emplace_back(installation);
        for (const std::string& overlay : layers) {
            const bool has = std::any_of(paths.begin(), paths.end(), [&](const auto& spelling) {
                const Owners& overlays = spelling.second;
                return std::find(overlays.begin(), overlays.end(), overlay) != overlays.end();
            });
            if (has) conflict.overlays.push_back(overlay);
        }
        conflicts.push_back(std::move(conflict));
    }
    return conflicts;
}

std::string to_text(const Conflict& conflict) {
    const std::string overlays = fmt::format("{}", fmt::join(conflict.overlays, " and "));
    const std::string& path = conflict.paths.front();
    switch (conflict.kind) {
        case Conflict::Kind::SamePath:
            return fmt::format(
                "{} have different {}; {} wins", overlays,
                path.ends_with('/') ? fmt::format("files in {} ({})", path, conflict.files) : path,
                conflict.overlays.front());
        case Conflict::Kind::OtherCase:
            return fmt::format("{} differ only in case ({}); the game sees each of them",
                               fmt::join(conflict.paths, " and "), overlays);
    }
    return "?";
}

std::vector<std::string> conflict_warnings(ConflictFinder& finder,
                                           const std::map<std::string, OverlayStack>& stacks) {
    std::vector<std::string> warnings;
    for (const auto& [name, stack] : stacks) {
        const std::vector<Conflict> conflicts = finder.find(stack);
        const std::size_t shown = std::min(conflicts.size(), max_lines);
        for (std::size_t i = 0; i < shown; ++i)
            warnings.push_back(fmt::format("blueprint/{}: {}", name, to_text(conflicts[i])));
        if (conflicts.size() > shown)
            warnings.push_back(fmt::format("blueprint/{}: {} more; l4d2ctl describe blueprint {}", name,
                                           conflicts.size() - shown, name));
    }
    return warnings;
}

}  // namespace left4me::operations
