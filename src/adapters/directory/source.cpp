#include "adapters/directory/source.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "adapters/directory/hash.hpp"
#include "adapters/directory/transaction_log.hpp"
#include "adapters/files.hpp"
#include "adapters/source/source.hpp"

namespace left4me {

namespace fs = std::filesystem;

namespace {

constexpr int max_directory_depth = 16;
constexpr int max_readings = 5;

/// One manifest file as listed in the directory. If two listings, before and after reading, are equal,
/// nothing changed meanwhile.
struct Listed {
    fs::path path;
    ino_t inode = 0;
    off_t size = 0;
    timespec modified{};

    bool operator==(const Listed& other) const {
        return path == other.path && inode == other.inode && size == other.size &&
               modified.tv_sec == other.modified.tv_sec && modified.tv_nsec == other.modified.tv_nsec;
    }
};

using Listing = std::vector<Listed>;

std::expected<void, std::string> list_into(Listing& listing, const fs::path& directory, const Limits& limits,
                                           int depth);

std::expected<void, std::string> list_entry(Listing& listing, const fs::directory_entry& entry,
                                            const Limits& limits, int depth) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.')) return {};
    struct stat status{};
    if (::stat(entry.path().c_str(), &status) != 0) {
        // Deleted since it was listed (an editor at work), or a dangling link.
        std::error_code ignored;
        if (!is_source_name(name, depth) || !entry.is_symlink(ignored)) return {};
        return std::unexpected(errno_message(entry.path(), errno));
    }
    if (S_ISDIR(status.st_mode)) {
        std::error_code ignored;
        if (entry.is_symlink(ignored)) {
            return std::unexpected(entry.path().string() +
                                   ": a symlink to a directory is not followed; link the files, or make "
                                   "source.directory the directory itself");
        }
        return list_into(listing, entry.path(), limits, depth + 1);
    }
    if (!is_source_name(name, depth)) return {};
    if (listing.size() >= limits.documents) {
        return std::unexpected(fmt::format("{}: more than {} files (limits.documents)", entry.path().string(),
                                           limits.documents));
    }
    if (status.st_size > 0 && static_cast<std::size_t>(status.st_size) > limits.file_bytes) {
        return std::unexpected(fmt::format("{}: has {} bytes, more than {} (limits.fileBytes)",
                                           entry.path().string(), status.st_size, limits.file_bytes));
    }
    listing.push_back({entry.path(), status.st_ino, status.st_size, status.st_mtim});
    return {};
}

std::expected<void, std::string> list_into(Listing& listing, const fs::path& directory, const Limits& limits,
                                           int depth) {
    if (depth > max_directory_depth) {
        return std::unexpected(
            fmt::format("{}: more than {} directories deep", directory.string(), depth - 1));
    }
    std::error_code error;
    fs::directory_iterator entries(directory, error);
    for (; !error && entries != fs::directory_iterator(); entries.increment(error)) {
        if (auto listed = list_entry(listing, *entries, limits, depth); !listed) return listed;
    }
    if (error) return std::unexpected(errno_message(directory, error.value()));
    return {};
}

std::expected<Listing, std::string> list(const fs::path& directory, const Limits& limits) {
    Listing listing;
    if (auto listed = list_into(listing, directory, limits, 0); !listed)
        return std::unexpected(listed.error());
    std::sort(listing.begin(), listing.end(),
              [](const Listed& a, const Listed& b) { return a.path.native() < b.path.native(); });
    return listing;
}

}  // namespace

std::expected<std::vector<SourceFile>, std::string> read_manifests(const fs::path& directory,
                                                                   const Limits& limits) {
    for (int reading = 0; reading < max_readings; ++reading) {
        const auto before = list(directory, limits);
        if (!before) return std::unexpected(before.error());
        std::vector<SourceFile> files;
        std::optional<std::string> failed;
        for (const Listed& listed : *before) {
            auto text = read_file(listed.path, limits.file_bytes);
            if (!text) {
                failed = text.error();
                break;
            }
            files.push_back({listed.path.string(), std::move(*text)});
        }
        // A file that changed while we read may be half of somebody's change: read again.
        const auto after = list(directory, limits);
        if (after && *before == *after) {
            if (failed) return std::unexpected(*failed);
            return files;
        }
    }
    return std::unexpected(directory.string() + ": its files keep changing while they are read");
}

std::string unreadable_manifest(const fs::path& directory) {
    std::error_code error;
    fs::recursive_directory_iterator entries(directory, error);
    for (; !error && entries != fs::recursive_directory_iterator(); entries.increment(error)) {
        const fs::path& path = entries->path();
        const std::string name = path.filename().string();
        std::error_code ignored;
        const bool inside = entries->is_directory(ignored) && !entries->is_symlink(ignored);
        if (name.starts_with('.') || entries.depth() > max_directory_depth) {
            if (inside) entries.disable_recursion_pending();
            continue;
        }
        if (!inside && !is_source_name(name, entries.depth())) continue;
        if (::faccessat(AT_FDCWD, path.c_str(), inside ? R_OK | X_OK : R_OK, AT_EACCESS) == 0 ||
            errno != EACCES)
            continue;
        return fmt::format("{0}: user left4me may not read it\n  sudo chown {1}left4me: {0}\n", path.string(),
                           inside ? "-R " : "");
    }
    return {};
}

std::string revision_of(const fs::path& directory, const std::vector<SourceFile>& files) {
    ShortHash hash;
    for (const SourceFile& file : files) {
        hash.add(fs::path(file.name).lexically_relative(directory).native());
        hash.add(file.text);
    }
    return hash.digits();
}

std::expected<Snapshot, std::string> read_directory(const fs::path& directory, const Limits& limits) {
    const auto log = read_transaction_log(directory, limits);
    if (!log) return std::unexpected(log.error());
    auto files = read_manifests(directory, limits);
    if (!files) return std::unexpected(files.error());
    if (*log) *files = with_transaction_log(directory, std::move(*files), **log);
    if (!has_manifests(*files)) return std::unexpected(directory.string() + ": holds no manifest (*.yaml)");
    return Snapshot{revision_of(directory, *files), std::move(*files)};
}

}  // namespace left4me
