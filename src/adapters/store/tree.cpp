#include "adapters/store/tree.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <string_view>

#include "adapters/path_names.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/source_root.hpp"
#include "reconciler/digest.hpp"

namespace left4me::store {

namespace {

using Kind = TreeEntry::Kind;

/// A relative target whose ".." are all at the beginning and do not leave the root. After another name, ".."
/// could pass through another symlink that its text does not show.
bool stays_inside(std::string_view target, int depth) {
    if (target.empty() || target.front() == '/') return false;
    bool descending = false;
    for (const std::string_view name : path_names(target)) {
        if (name != "..") {
            descending = true;
        } else if (descending || --depth < 0) {
            return false;
        }
    }
    return true;
}

class Scanner {
  public:
    explicit Scanner(const SourceLimits& limits) : limits_(limits) {}

    std::expected<Tree, std::string> scan(int root) {
        const auto mount = mount_of(root, "the source");
        if (!mount) return std::unexpected(mount.error());
        mount_ = *mount;
        if (auto done = directory(root, "", 0); !done) return std::unexpected(done.error());
        std::sort(tree_.entries.begin(), tree_.entries.end(),
                  [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
        tree_.stats = metadata_.finish();
        return std::move(tree_);
    }

  private:
    Done directory(int fd, const std::string& prefix, int depth) {
        struct stat status{};
        if (::fstat(fd, &status) != 0) return io_error(prefix);
        metadata_.note(prefix, status);
        if (depth > max_tree_depth) return std::unexpected(prefix + ": directories are nested too deeply");
        std::vector<std::string> names = list(fd);
        std::sort(names.begin(), names.end());
        for (const std::string& name : names) {
            if (auto done = entry(fd, name, prefix + name, depth); !done) return done;
        }
        return {};
    }

    Done entry(int parent, const std::string& name, const std::string& path, int depth) {
        struct stat status{};
        if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return io_error(path);
        if (tree_.entries.size() >= limits_.entries) {
            return std::unexpected(
                fmt::format("more than {} files; remove some, or raise limits.overlayEntries "
                            "in /etc/left4me/config.yaml",
                            limits_.entries));
        }
        if (S_ISDIR(status.st_mode)) {
            tree_.entries.push_back({Kind::Directory, path, {}, 0, {}});
            const Fd inside(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (!inside) return io_error(path);
            if (auto same = on_mount(inside.get(), path); !same) return same;
            return directory(inside.get(), path + "/", depth + 1);
        }
        metadata_.note(path, status);
        if (S_ISREG(status.st_mode)) return file(status, path);
        if (S_ISLNK(status.st_mode)) return link(parent, name, path, depth);
        return std::unexpected(path +
                               " is neither a file nor a directory; remove it from the overlay's source");
    }

    Done on_mount(int fd, const std::string& path) const {
        const auto mount = mount_of(fd, path);
        if (!mount) return std::unexpected(mount.error());
        if (*mount == mount_) return {};
        return std::unexpected(path + " is a mount point; put a copy of its files in its place");
    }

    Done file(const struct stat& status, const std::string& path) {
        // If the kernel does not protect hard links, anybody could create a second link to somebody else's
        // file here.
        if (status.st_nlink > 1 && (status.st_mode & S_IROTH) == 0) {
            return std::unexpected(path +
                                   " has a second hard link and is not readable by everybody; put "
                                   "a copy in its place");
        }
        const auto size = static_cast<std::uint64_t>(status.st_size);
        const std::uint64_t bytes = std::min(size, static_cast<std::uint64_t>(status.st_blocks) * 512);
        tree_.bytes += bytes;
        if (tree_.bytes > limits_.bytes) {
            return std::unexpected(
                fmt::format("more than {} bytes; remove some files, or raise "
                            "limits.overlayBytes in /etc/left4me/config.yaml",
                            limits_.bytes));
        }
        Metadata stats;
        stats.note(path, status);
        const bool program = (status.st_mode & S_IXUSR) != 0;
        tree_.entries.push_back(
            {program ? Kind::Program : Kind::File, path, {}, bytes, stats.finish().fingerprint});
        return {};
    }

    Done link(int parent, const std::string& name, const std::string& path, int depth) {
        std::array<char, PATH_MAX> buffer{};
        const ssize_t length = ::readlinkat(parent, name.c_str(), buffer.data(), buffer.size());
        if (length < 0) return io_error(path);
        std::string target(buffer.data(), static_cast<std::size_t>(length));
        if (!stays_inside(target, depth)) {
            return std::unexpected(
                path + " is a symlink that leads out of the overlay's source; put a copy in its place");
        }
        tree_.entries.push_back({Kind::Link, path, std::move(target), 0, {}});
        return {};
    }

    const SourceLimits& limits_;
    std::uint64_t mount_ = 0;
    Tree tree_;
    Metadata metadata_;
};

void add_entry(Digest& digest, char kind, std::string_view path, std::string_view content) {
    digest.add({&kind, 1}).field(path).field(content);
}

/// Sparse files have separate letters, so that no plain file can look like one.
char letter_of(Kind kind, bool sparse) {
    if (!sparse) return static_cast<char>(kind);
    return kind == Kind::Program ? 'S' : 's';
}

std::string digest_text(std::string_view text) {
    const auto bytes = Digest().add(text).finish();
    return {bytes.begin(), bytes.end()};
}

}  // namespace

std::expected<Tree, std::string> scan_tree(int root, const SourceLimits& limits) {
    return Scanner(limits).scan(root);
}

std::expected<Fd, std::string> TreeFiles::open(const TreeEntry& entry) {
    if (!mount_) {
        const auto mount = mount_of(root_, entry.path);
        if (!mount) return std::unexpected(mount.error());
        mount_ = *mount;
    }
    const std::size_t name = entry.path.rfind('/') + 1;  // 0 if there is none
    if (!enter(std::string_view(entry.path).substr(0, name))) return io_error(entry.path);
    Fd file(::openat(parent_ ? parent_.get() : root_, entry.path.c_str() + name,
                     O_RDONLY | O_NONBLOCK | O_NOCTTY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) return io_error(entry.path);
    if (!is_file_on(file.get(), *mount_)) return std::unexpected(entry.path + " changed while it was read");
    return file;
}

bool TreeFiles::enter(std::string_view directory) {
    if (directory == entered_) return true;
    parent_.reset();
    entered_.clear();
    // Not with openat2(2): see source_root.cpp.
    for (const std::string_view name : path_names(directory)) {
        parent_ = Fd(::openat(parent_ ? parent_.get() : root_, std::string(name).c_str(),
                              O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        if (!parent_) return false;
    }
    entered_ = directory;
    return true;
}

void TreeDigest::add(const TreeEntry& entry, const Content& content) {
    const bool file = entry.kind == Kind::File || entry.kind == Kind::Program;
    add_entry(digest_, letter_of(entry.kind, file && content.sparse), entry.path,
              file ? content.digest : entry.target);
}

std::expected<std::string, std::string> digest_tree(int root, const Tree& tree) {
    TreeDigest digest;
    TreeFiles files(root);
    for (const TreeEntry& entry : tree.entries) {
        Content content;
        if (entry.kind == Kind::File || entry.kind == Kind::Program) {
            const auto file = files.open(entry);
            if (!file) return std::unexpected(file.error());
            auto read = hash_content(file->get(), entry.path);
            if (!read) return std::unexpected(read.error());
            content = std::move(*read);
        }
        digest.add(entry, content);
    }
    return digest.hex();
}

std::string digest_inline(const std::map<std::string, std::string>& files) {
    std::map<std::string_view, const std::string*> entries;  // a directory has no text
    for (const auto& [path, text] : files) {
        entries[path] = &text;
        for (std::size_t slash = path.find('/'); slash != std::string::npos;
             slash = path.find('/', slash + 1)) {
            entries.try_emplace(std::string_view(path).substr(0, slash), nullptr);
        }
    }
    Digest digest;
    for (const auto& [path, text] : entries) {
        if (text == nullptr) {
            add_entry(digest, static_cast<char>(Kind::Directory), path, {});
        } else {
            add_entry(digest, static_cast<char>(Kind::File), path, digest_text(*text));
        }
    }
    return digest.hex();
}

}  // namespace left4me::store
