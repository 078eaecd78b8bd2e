#include "builder/share.hpp"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <map>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "adapters/digest.hpp"
#include "adapters/store/artifact_info.hpp"
#include "adapters/store/content.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/tree.hpp"

namespace left4me::builder {

namespace {

/// The newest ones have what older ones share with them.
constexpr std::size_t max_artifacts = 8;
/// Files that were moved are found by their size; small ones are not worth the comparisons.
constexpr std::uint64_t worth_searching = 64U << 10U;
constexpr int max_comparisons = 4;
/// In one call; also what btrfs of Linux before 4.18 allows.
constexpr std::uint64_t dedupe_bytes = 16U << 20U;

struct File {
    std::string path;
    std::uint64_t size = 0;
    std::uint64_t bytes = 0;  ///< of data
};

void list_files(int directory, const std::string& prefix, int depth, std::vector<File>& files) {
    if (depth > store::max_tree_depth) return;
    for (const std::string& name : store::list(directory)) {
        struct stat status{};
        if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
        if (S_ISDIR(status.st_mode)) {
            const Fd inside = store::open_directory(directory, name);
            if (inside) list_files(inside.get(), prefix + name + "/", depth + 1, files);
        } else if (S_ISREG(status.st_mode)) {
            const auto size = static_cast<std::uint64_t>(status.st_size);
            files.push_back(
                {prefix + name, size, std::min(size, static_cast<std::uint64_t>(status.st_blocks) * 512)});
        }
    }
}

Sharing measure(int tree, std::vector<File>& files) {
    list_files(tree, "", 0, files);
    Sharing sharing{.files = files.size()};
    for (const File& file : files) sharing.bytes += file.bytes;
    return sharing;
}

/// The overlay's artifacts, the last built first.
std::vector<std::string> earlier_artifacts(int overlay) {
    std::vector<std::pair<TimePoint, std::string>> artifacts;
    for (std::string& name : store::list(overlay)) {
        if (is_digest(name)) artifacts.emplace_back(store::time_built(overlay, name), std::move(name));
    }
    std::sort(artifacts.rbegin(), artifacts.rend());
    artifacts.resize(std::min(artifacts.size(), max_artifacts));
    std::vector<std::string> names;
    for (auto& [built, name] : artifacts) names.push_back(std::move(name));
    return names;
}

enum class Shared { Yes, Differs, Unsupported };

/// A whole file, as far as `into` has data: the kernel compares and shares in one step.
Shared share_blocks(int from, int into, std::uint64_t size) {
    alignas(file_dedupe_range) std::array<char, sizeof(file_dedupe_range) + sizeof(file_dedupe_range_info)>
        buffer{};
    auto* const request = new (buffer.data()) file_dedupe_range{};
    auto* const answer = new (buffer.data() + sizeof(file_dedupe_range)) file_dedupe_range_info{};
    for (std::uint64_t at = 0; at < size;) {
        const off_t data = ::lseek(into, static_cast<off_t>(at), SEEK_DATA);
        if (data < 0 && errno == ENXIO) break;
        if (data >= 0) at = static_cast<std::uint64_t>(data);
        *request = {};
        request->src_offset = at;
        request->src_length = std::min(size - at, dedupe_bytes);
        request->dest_count = 1;
        *answer = {};
        answer->dest_fd = into;
        answer->dest_offset = at;
        if (::ioctl(from, FIDEDUPERANGE, request) != 0) return Shared::Unsupported;
        if (answer->status == FILE_DEDUPE_RANGE_DIFFERS) return Shared::Differs;
        if (answer->status != FILE_DEDUPE_RANGE_SAME || answer->bytes_deduped == 0)
            return Shared::Unsupported;
        at += answer->bytes_deduped;
    }
    return Shared::Yes;
}

/// The extents of a file from `at` on, as many as fit into one answer. See fiemap.rst of the kernel.
std::vector<fiemap_extent> extents_of(int file, std::uint64_t at) {
    constexpr std::size_t most = 64;
    alignas(fiemap) std::array<char, sizeof(fiemap) + most * sizeof(fiemap_extent)> buffer{};
    auto* const map = new (buffer.data()) fiemap{};
    map->fm_start = at;
    map->fm_length = FIEMAP_MAX_OFFSET - at;
    map->fm_extent_count = most;
    if (::ioctl(file, FS_IOC_FIEMAP, map) != 0) return {};
    std::vector<fiemap_extent> extents(map->fm_mapped_extents);
    std::memcpy(extents.data(), buffer.data() + sizeof(fiemap), extents.size() * sizeof(fiemap_extent));
    return extents;
}

/// Where a source is on the same file system, unchanged files share their blocks as soon as they are copied:
/// to compare them would be to read them twice more.
bool have_same_blocks(int one, int other, std::uint64_t size) {
    constexpr std::uint32_t unclear =
        FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_DELALLOC | FIEMAP_EXTENT_ENCODED | FIEMAP_EXTENT_NOT_ALIGNED;
    const auto same = [](const fiemap_extent& a, const fiemap_extent& b) {
        return a.fe_logical == b.fe_logical && a.fe_physical == b.fe_physical && a.fe_length == b.fe_length &&
               (a.fe_flags & unclear) == 0 && (b.fe_flags & unclear) == 0;
    };
    for (std::uint64_t at = 0; at < size;) {
        const std::vector<fiemap_extent> extents = extents_of(one, at);
        const std::vector<fiemap_extent> others = extents_of(other, at);
        if (extents.empty() ||
            !std::equal(extents.begin(), extents.end(), others.begin(), others.end(), same))
            return false;
        if ((extents.back().fe_flags & FIEMAP_EXTENT_LAST) != 0) return true;
        at = extents.back().fe_logical + extents.back().fe_length;
    }
    return true;
}

/// Owner, group, mode and extended attributes are those of the file, not of its name.
bool are_alike(int one, const struct stat& status, int other, const struct stat& other_status) {
    return status.st_dev == other_status.st_dev && status.st_mode == other_status.st_mode &&
           status.st_uid == other_status.st_uid && status.st_gid == other_status.st_gid &&
           ::flistxattr(one, nullptr, 0) == ::flistxattr(other, nullptr, 0);
}

class Sharer {
  public:
    Sharer(int tree, int overlay, int build_directory)
        : tree_(tree), overlay_(overlay), directory_(build_directory) {}

    Sharing share() {
        Sharing sharing = measure(tree_, files_);
        for (const std::string& artifact : earlier_artifacts(overlay_)) share_with(artifact);
        (void)::unlinkat(directory_, shared_name, 0);
        for (const File& file : done_) sharing.shared_bytes += file.bytes;
        sharing.shared_files = done_.size();
        return sharing;
    }

  private:
    void share_with(const std::string& artifact) {
        const Fd earlier = store::open_directory(overlay_, artifact);
        if (!earlier) return;
        std::vector<File> candidates;
        list_files(earlier.get(), "", 0, candidates);
        std::map<std::string_view, const File*> by_path;
        std::multimap<std::uint64_t, const File*> by_size;
        for (const File& file : candidates) {
            by_path.emplace(file.path, &file);
            if (file.size >= worth_searching) by_size.emplace(file.size, &file);
        }
        std::erase_if(files_, [&](const File& file) {
            const bool shared = file.size > 0 && finds_equal(file, earlier.get(), by_path, by_size);
            if (shared) done_.push_back(file);
            return shared;
        });
    }

    bool finds_equal(const File& file, int earlier, const std::map<std::string_view, const File*>& by_path,
                     const std::multimap<std::uint64_t, const File*>& by_size) {
        const auto same = by_path.find(file.path);
        if (same != by_path.end() && same->second->size == file.size &&
            shares(file.path, earlier, same->second->path))
            return true;
        auto [candidate, end] = by_size.equal_range(file.size);
        for (int tries = 0; candidate != end && tries < max_comparisons; ++candidate, ++tries) {
            if (shares(file.path, earlier, candidate->second->path)) return true;
        }
        return false;
    }

    bool shares(const std::string& path, int earlier, const std::string& earlier_path) {
        const Fd from = store::open_beneath(earlier, earlier_path, O_RDONLY | O_NONBLOCK);
        const Fd into = store::open_beneath(tree_, path, O_RDWR | O_NONBLOCK);
        struct stat was{};
        struct stat is{};
        if (!from || !into || ::fstat(from.get(), &was) != 0 || ::fstat(into.get(), &is) != 0) return false;
        if (!S_ISREG(was.st_mode) || !S_ISREG(is.st_mode) || was.st_size != is.st_size) return false;
        if (was.st_dev == is.st_dev && was.st_ino == is.st_ino) return linked_.insert(was.st_ino).second;
        const auto size = static_cast<std::uint64_t>(is.st_size);
        if (have_same_blocks(from.get(), into.get(), size)) return true;
        const Shared shared = share_blocks(from.get(), into.get(), size);
        if (shared != Shared::Unsupported) return shared == Shared::Yes;
        // No two names within one tree become one file: overlayfs would copy both up when one is written to,
        // if it were ever mounted with an index.
        return are_alike(from.get(), was, into.get(), is) && !linked_.contains(was.st_ino) &&
               store::have_same_content(from.get(), into.get()) && links(path, earlier, earlier_path, was);
    }

    /// The file system may allow no more names of a file (EMLINK): then it keeps its copy.
    bool links(const std::string& path, int earlier, const std::string& earlier_path,
               const struct stat& wanted) {
        (void)::unlinkat(directory_, shared_name, 0);
        struct stat status{};
        if (::linkat(earlier, earlier_path.c_str(), directory_, shared_name, 0) != 0 ||
            ::fstatat(directory_, shared_name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
            status.st_ino != wanted.st_ino)
            return false;
        if (::renameat(directory_, shared_name, tree_, path.c_str()) != 0) return false;
        linked_.insert(wanted.st_ino);
        return true;
    }

    int tree_;
    int overlay_;
    int directory_;
    std::vector<File> files_;  ///< those that share nothing yet
    std::vector<File> done_;
    std::set<ino_t> linked_;
};

}  // namespace

Sharing share_files(int tree, int overlay, int build_directory) {
    return Sharer(tree, overlay, build_directory).share();
}

Sharing measure_files(int tree) {
    std::vector<File> files;
    return measure(tree, files);
}

}  // namespace left4me::builder
