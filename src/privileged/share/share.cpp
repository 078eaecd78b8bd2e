#include "privileged/share/share.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "adapters/digest.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/regular_files.hpp"
#include "adapters/store/same_content.hpp"
#include "adapters/store/shared_files.hpp"
#include "privileged/share/blocks.hpp"

namespace left4me::share {

namespace {

using store::RegularFile;

constexpr mode_t file_mode = 0644;
constexpr mode_t program_mode = 0755;
/// Files of one size are common: maps of another version, or padded ones.
constexpr int max_comparisons = 4;
/// The name on the way, in `.build`; a killed run may leave it.
constexpr const char* linked_name = "linked";

/// The artifacts of an overlay that are sealed, the last one first.
std::vector<std::string> sealed_artifacts(int overlay) {
    std::vector<std::pair<timespec, std::string>> artifacts;
    for (std::string& name : store::list(overlay)) {
        struct stat status{};
        if (is_digest(name) &&
            ::fstatat(overlay, store::shared_name(name).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0)
            artifacts.emplace_back(status.st_mtim, std::move(name));
    }
    std::ranges::sort(artifacts, [](const auto& a, const auto& b) {
        return std::pair(a.first.tv_sec, a.first.tv_nsec) > std::pair(b.first.tv_sec, b.first.tv_nsec);
    });
    std::vector<std::string> names;
    for (auto& [sealed, name] : artifacts) names.push_back(std::move(name));
    return names;
}

std::string parent_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

/// A file of another artifact that may be equal.
struct Candidate {
    std::string artifact;  ///< "OVERLAY/DIGEST"
    std::string path;
};

class Sharer {
  public:
    Sharer(const Settings& settings, std::string overlay, Fd overlays, Fd place, Fd build_directory,
           std::string digest, Fd tree)
        : settings_(settings),
          overlay_(std::move(overlay)),
          overlays_(std::move(overlays)),
          place_(std::move(place)),
          directory_(std::move(build_directory)),
          digest_(std::move(digest)),
          tree_(std::move(tree)) {}

    std::expected<Sharing, std::string> share() {
        std::vector<RegularFile> files = store::regular_files(tree_.get());
        Sharing sharing{.files = files.size()};
        std::map<std::uint64_t, nlink_t> names;
        for (const RegularFile& file : files) ++names[file.inode];
        std::erase_if(files, [&](const RegularFile& file) {
            return !seal(file.path, names[file.inode]) || names[file.inode] > 1;
        });
        store::SharedFiles told;
        for (const RegularFile& file : files) {
            if (file.size >= store::worth_searching)
                told.large.push_back({.path = file.path, .size = file.size});
        }
        const auto note = [&](const RegularFile& file) {
            ++sharing.shared_files;
            sharing.shared_bytes += file.bytes;
            return true;
        };
        std::erase_if(files, [](const RegularFile& file) { return file.size == 0; });
        for (const std::string& digest : sealed_artifacts(place_.get())) {
            const Fd earlier = store::open_directory(place_.get(), digest);
            std::erase_if(files, [&](const RegularFile& file) {
                return shares(file, earlier, file.path) && note(file);
            });
        }
        const auto elsewhere = large_files(files);
        std::erase_if(files,
                      [&](const RegularFile& file) { return finds_equal(file, elsewhere) && note(file); });
        (void)::unlinkat(directory_.get(), linked_name, 0);
        told.bytes = sharing.shared_bytes;
        if (auto wrote = store::write_shared(place_.get(), directory_.get(), digest_, told); !wrote)
            return std::unexpected(wrote.error());
        return sharing;
    }

  private:
    using BySize = std::map<std::uint64_t, std::vector<Candidate>>;

    /// Whether it is sealed now. One with a name outside of the artifact may be anything: whoever builds owns
    /// more than overlays.
    bool seal(const std::string& path, nlink_t names_inside) const {
        const Fd file = store::open_beneath(tree_.get(), path, O_RDONLY | O_NONBLOCK);
        struct stat status{};
        if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
        if (is_sealed(status)) return true;
        if (status.st_uid != settings_.builder || status.st_nlink != names_inside) return false;
        const mode_t mode = (status.st_mode & S_IXUSR) != 0 ? program_mode : file_mode;
        return ::fchmod(file.get(), mode) == 0 && ::fchown(file.get(), settings_.owner, settings_.group) == 0;
    }

    bool is_sealed(const struct stat& status) const {
        const mode_t mode = status.st_mode & 07777U;
        return status.st_uid == settings_.owner && status.st_gid == settings_.group &&
               (mode == file_mode || mode == program_mode);
    }

    /// Those of all sealed artifacts that have the size of one of these; in this overlay, another path.
    BySize large_files(const std::vector<RegularFile>& wanted) const {
        BySize found;
        for (const RegularFile& file : wanted) {
            if (file.size >= store::worth_searching) found[file.size];
        }
        if (found.empty()) return found;
        for (const std::string& name : store::list(overlays_.get())) {
            const Fd place = store::open_directory(overlays_.get(), name);
            if (!place) continue;
            for (const std::string& digest : sealed_artifacts(place.get())) {
                if (name == overlay_ && digest == digest_) continue;
                const auto told = store::read_shared(place.get(), digest, ::geteuid());
                if (!told) continue;
                for (const RegularFile& file : told->large) {
                    const auto of_size = found.find(file.size);
                    if (of_size != found.end()) of_size->second.push_back({name + "/" + digest, file.path});
                }
            }
        }
        return found;
    }

    bool finds_equal(const RegularFile& file, const BySize& elsewhere) {
        const auto of_size = elsewhere.find(file.size);
        if (of_size == elsewhere.end()) return false;
        int tries = 0;
        for (const bool same_path : {true, false}) {
            for (const Candidate& candidate : of_size->second) {
                if ((candidate.path == file.path) != same_path) continue;
                const Fd artifact = store::open_directory(overlays_.get(), candidate.artifact);
                if (shares(file, artifact, candidate.path)) return true;
                if (++tries == max_comparisons) return false;
            }
        }
        return false;
    }

    bool shares(const RegularFile& file, const Fd& artifact, const std::string& path) {
        if (!artifact) return false;
        const Fd from = store::open_beneath(artifact.get(), path, O_RDONLY | O_NONBLOCK);
        const Fd into = store::open_beneath(tree_.get(), file.path, O_RDWR | O_NONBLOCK);
        struct stat was{};
        struct stat is{};
        if (!from || !into || ::fstat(from.get(), &was) != 0 || ::fstat(into.get(), &is) != 0) return false;
        if (!S_ISREG(was.st_mode) || was.st_size != is.st_size || was.st_dev != is.st_dev) return false;
        if (!is_sealed(was) || !is_sealed(is)) return false;
        if (was.st_ino == is.st_ino) return linked_.insert(was.st_ino).second;
        const auto size = static_cast<std::uint64_t>(is.st_size);
        // Read from a slow disk that games use.
        constexpr std::uint64_t bytes_a_second = 2U << 20U;
        settings_.takes(std::chrono::seconds(30 + size / bytes_a_second));
        if (have_same_blocks(from.get(), into.get(), size)) return true;
        const SharedBlocks shared = share_blocks(from.get(), into.get(), size);
        if (shared != SharedBlocks::Unsupported) return shared == SharedBlocks::Yes;
        // No two names within one artifact become one file: overlayfs would copy both up when one is written
        // to, if it were ever mounted with an index.
        return was.st_mode == is.st_mode && have_same_attributes(from.get(), into.get()) &&
               !linked_.contains(was.st_ino) && store::have_same_content(from.get(), into.get()) &&
               links(file.path, from.get(), was.st_ino);
    }

    /// Extended attributes belong to the file, not to its name. Where SELinux is on, each file has one.
    static bool have_same_attributes(int one, int other) {
        return ::flistxattr(one, nullptr, 0) == ::flistxattr(other, nullptr, 0);
    }

    /// The file system may allow no more names of a file (EMLINK): then this one keeps its copy.
    bool links(const std::string& path, int from, ino_t inode) {
        const Fd parent = store::open_directory(tree_.get(), parent_of(path));
        if (!parent) return false;
        (void)::unlinkat(directory_.get(), linked_name, 0);
        // Exactly the file that was compared, whatever has its name by now.
        const std::string open_file = "/proc/self/fd/" + std::to_string(from);
        if (::linkat(AT_FDCWD, open_file.c_str(), directory_.get(), linked_name, AT_SYMLINK_FOLLOW) != 0)
            return false;
        const std::string name = path.substr(path.rfind('/') + 1);
        if (::renameat(directory_.get(), linked_name, parent.get(), name.c_str()) != 0) return false;
        linked_.insert(inode);
        return true;
    }

    const Settings& settings_;
    std::string overlay_;
    Fd overlays_;
    Fd place_;      ///< `overlays/NAME`
    Fd directory_;  ///< its `.build`
    std::string digest_;
    Fd tree_;
    std::set<ino_t> linked_;
};

std::optional<std::string> fresh_artifact(int build_directory) {
    std::string digest(digest_length + 1, '\0');
    const ssize_t length = ::readlinkat(build_directory, store::fresh_name, digest.data(), digest.size());
    if (length < 0) return std::nullopt;
    digest.resize(static_cast<std::size_t>(length));
    return is_digest(digest) ? std::optional(digest) : std::nullopt;
}

}  // namespace

std::expected<Sharing, std::string> share_artifact(const Settings& settings, const std::string& overlay) {
    Fd overlays(::open(settings.overlays.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!overlays) return store::io_error(settings.overlays.string());
    Fd place = store::open_directory(overlays.get(), overlay);
    if (!place) return store::io_error(overlay);
    Fd directory = store::open_directory(place.get(), store::build_directory);
    if (!directory) return store::io_error(store::build_directory);
    const auto digest = fresh_artifact(directory.get());
    if (!digest) return std::unexpected("no artifact has just been built");
    Fd tree = store::open_directory(place.get(), *digest);
    if (!tree) return store::io_error(*digest);
    return Sharer(settings, overlay, std::move(overlays), std::move(place), std::move(directory), *digest,
                  std::move(tree))
        .share();
}

}  // namespace left4me::share
