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

#include "adapters/store/digest.hpp"
#include "adapters/store/files.hpp"

namespace left4me::store {

namespace {

using Kind = TreeEntry::Kind;

/// A relative target whose ".." all stand at its beginning and do not climb above the root. Behind another
/// name ".." could go through one more symlink, of which its text says nothing.
bool stays_inside(std::string_view target, int depth) {
    if (target.empty() || target.front() == '/') return false;
    bool descending = false;
    while (!target.empty()) {
        const std::size_t slash = std::min(target.find('/'), target.size());
        const std::string_view name = target.substr(0, slash);
        target.remove_prefix(std::min(slash + 1, target.size()));
        if (name.empty() || name == ".") continue;
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
    std::expected<Tree, std::string> scan(int root) {
        if (auto done = directory(root, "", 0); !done) return std::unexpected(done.error());
        std::sort(tree_.entries.begin(), tree_.entries.end(),
                  [](const TreeEntry& a, const TreeEntry& b) { return a.path < b.path; });
        tree_.looks = metadata_.finish();
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
        if (tree_.entries.size() >= max_tree_entries) {
            return std::unexpected(fmt::format("more than {} files", max_tree_entries));
        }
        if (S_ISDIR(status.st_mode)) {
            tree_.entries.push_back({Kind::Directory, path, {}});
            const Fd inside(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            if (!inside) return io_error(path);
            return directory(inside.get(), path + "/", depth + 1);
        }
        metadata_.note(path, status);
        if (S_ISREG(status.st_mode)) {
            bytes_ += static_cast<std::uint64_t>(status.st_size);
            if (bytes_ > max_tree_bytes) {
                return std::unexpected(fmt::format("more than {} GiB", max_tree_bytes >> 30U));
            }
            const bool program = (status.st_mode & S_IXUSR) != 0;
            tree_.entries.push_back({program ? Kind::Program : Kind::File, path, {}});
            return {};
        }
        if (S_ISLNK(status.st_mode)) return link(parent, name, path, depth);
        return std::unexpected(path +
                               " is neither a file nor a directory; remove it from the overlay's source");
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
        tree_.entries.push_back({Kind::Link, path, std::move(target)});
        return {};
    }

    Tree tree_;
    Metadata metadata_;
    std::uint64_t bytes_ = 0;
};

void add_entry(Digest& digest, Kind kind, std::string_view path, std::string_view content) {
    const char letter = static_cast<char>(kind);
    digest.add({&letter, 1}).field(path).field(content);
}

std::expected<std::string, std::string> digest_file(int root, const std::string& path) {
    const Fd file = open_beneath(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0) return io_error(path);
    if (!S_ISREG(status.st_mode)) return std::unexpected(path + " changed while it was read");
    Digest digest;
    std::string buffer(std::min<std::size_t>(static_cast<std::size_t>(status.st_size) + 1, 1U << 18U), '\0');
    while (true) {
        const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error(path);
        if (got == 0) break;
        digest.add({buffer.data(), static_cast<std::size_t>(got)});
    }
    const auto bytes = digest.finish();
    return std::string(bytes.begin(), bytes.end());
}

std::string digest_text(std::string_view text) {
    const auto bytes = Digest().add(text).finish();
    return {bytes.begin(), bytes.end()};
}

}  // namespace

std::expected<Tree, std::string> scan_tree(int root) { return Scanner().scan(root); }

std::expected<std::string, std::string> digest_tree(int root, const Tree& tree) {
    Digest digest;
    for (const TreeEntry& entry : tree.entries) {
        std::string content = entry.target;
        if (entry.kind == Kind::File || entry.kind == Kind::Program) {
            auto read = digest_file(root, entry.path);
            if (!read) return read;
            content = std::move(*read);
        }
        add_entry(digest, entry.kind, entry.path, content);
    }
    return digest.generation();
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
            add_entry(digest, Kind::Directory, path, {});
        } else {
            add_entry(digest, Kind::File, path, digest_text(*text));
        }
    }
    return digest.generation();
}

}  // namespace left4me::store
