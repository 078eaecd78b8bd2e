#include "builder/tree_writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdio>

#include "adapters/path_names.hpp"
#include "adapters/store/copy.hpp"
#include "adapters/store/files.hpp"
#include "adapters/store/tree.hpp"
#include "specs/text.hpp"
#include "specs/writable.hpp"

namespace left4me::builder {

namespace {

/// Room for the path of the store and of the game's mount before it.
constexpr std::size_t max_path_bytes = 1024;

std::unexpected<BuildError> refusal(std::string_view path, const std::string& why) {
    return source_failure(fmt::format("{} {}", in_quotes(path), why));
}

std::unexpected<BuildError> own(std::string_view path) {
    const int error = errno;
    return own_failure(error, store::io_error(in_quotes(path)).error());
}

/// Whether the pattern's names match the first of these.
bool matches_path(std::string_view pattern, std::span<const std::string_view> names) {
    std::size_t at = 0;
    for (const std::string_view part : path_names(pattern)) {
        if (at == names.size() || !matches_name(part, names[at])) return false;
        ++at;
    }
    return true;
}

}  // namespace

std::string why_not_a_path(std::string_view path) {
    const std::vector<std::string_view> names = path_names(path);
    if (path.starts_with('/')) return "is an absolute path; pack the files with relative ones";
    if (find_invalid_utf8(path) != std::string_view::npos)
        return "has a name that is not UTF-8; rename the file before it is packed";
    const bool control =
        std::any_of(path.begin(), path.end(), [](char c) { return static_cast<unsigned char>(c) < ' '; });
    if (control || find_control_character(path) != std::string_view::npos)
        return "has a name with a control character; rename the file before it is packed";
    if (path.contains('\\'))
        return "has a name with a backslash; pack the files so that '/' separates directories";
    if (std::find(names.begin(), names.end(), "..") != names.end())
        return "leads out of the archive with '..'; pack the files with plain paths";
    const auto too_long = [](std::string_view name) { return name.size() > NAME_MAX; };
    if (path.size() > max_path_bytes || std::any_of(names.begin(), names.end(), too_long))
        return fmt::format("is too long: a name may have {} bytes, a path {}; rename the file", NAME_MAX,
                           max_path_bytes);
    if (names.size() > static_cast<std::size_t>(store::max_tree_depth))
        return fmt::format("is nested too deeply: {} directories are allowed", store::max_tree_depth);
    return {};
}

TreeWriter::TreeWriter(int root, PathMapping mapping, const SourceLimits& limits)
    : root_(root), mapping_(std::move(mapping)), limits_(limits) {}

bool TreeWriter::is_excluded(std::string_view path) const {
    const std::vector<std::string_view> names = path_names(path);
    return std::any_of(mapping_.exclude.begin(), mapping_.exclude.end(), [&](const std::string& pattern) {
        if (pattern.contains('/')) return matches_path(pattern, names);
        return std::any_of(names.begin(), names.end(),
                           [&](std::string_view name) { return matches_name(pattern, name); });
    });
}

Built<std::string> TreeWriter::mapped(std::string_view path) const {
    if (std::string why = why_not_a_path(path); !why.empty()) return refusal(path, why);
    const std::vector<std::string_view> names = path_names(path);
    std::string stripped;
    for (std::size_t i = mapping_.strip_components; i < names.size(); ++i)
        stripped.append(stripped.empty() ? "" : "/").append(names[i]);
    if (stripped.empty() || is_excluded(stripped)) return std::string();
    return mapping_.into.empty() ? stripped : mapping_.into + "/" + stripped;
}

Built<std::string> TreeWriter::map(std::string_view path) {
    file_.reset();
    if (++entries_ > limits_.entries) return too_many();
    return mapped(path);
}

std::unexpected<BuildError> TreeWriter::too_many() const {
    return source_failure(
        fmt::format("more than {} files or directories; if they are meant, raise limits.overlayEntries in "
                    "/etc/left4me/config.yaml",
                    limits_.entries));
}

Built<Fd> TreeWriter::make_directory(int parent, const std::string& name, std::string_view shown) {
    if (::mkdirat(parent, name.c_str(), store::overlay_directory_mode) == 0) {
        // Also those that no entry names: a path may have dozens.
        if (++directories_ > limits_.entries) return too_many();
    } else if (errno != EEXIST) {
        return own(shown);
    }
    Fd inside(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (inside) return inside;
    if (errno == ENOTDIR || errno == ELOOP)
        return refusal(shown, fmt::format("needs the directory {}, but that is a file or a link there",
                                          in_quotes(name)));
    return own(shown);
}

Built<int> TreeWriter::parent_of(std::string_view& path, std::string_view shown) {
    const std::size_t slash = path.rfind('/');
    const std::string_view parent = slash == std::string_view::npos ? "" : path.substr(0, slash);
    path.remove_prefix(slash == std::string_view::npos ? 0 : slash + 1);
    if (parent.empty()) return root_;
    if (parent_ && parent == parent_path_) return parent_.get();
    Fd at;
    for (const std::string_view name : path_names(parent)) {
        auto inside = make_directory(at ? at.get() : root_, std::string(name), shown);
        if (!inside) return std::unexpected(inside.error());
        at = std::move(*inside);
    }
    parent_ = std::move(at);
    parent_path_ = parent;
    return parent_.get();
}

Built<std::optional<TreeWriter::Destination>> TreeWriter::destination_of(std::string_view path) {
    const auto to = map(path);
    if (!to) return std::unexpected(to.error());
    if (to->empty()) return std::nullopt;
    std::string_view name = *to;
    const auto parent = parent_of(name, path);
    if (!parent) return std::unexpected(parent.error());
    return Destination{*parent, std::string(name)};
}

Built<void> TreeWriter::directory(std::string_view path) {
    const auto to = destination_of(path);
    if (!to) return std::unexpected(to.error());
    if (!*to) return {};
    const auto& [parent, name] = **to;
    const auto made = make_directory(parent, name, path);
    if (!made) return std::unexpected(made.error());
    return {};
}

Built<void> TreeWriter::begin_file(std::string_view path, bool program) {
    const auto to = destination_of(path);
    if (!to) return std::unexpected(to.error());
    if (!*to) return {};
    const auto& [parent, name] = **to;
    const mode_t mode = program ? store::overlay_program_mode : store::overlay_file_mode;
    Fd file(::openat(parent, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!file && errno == EEXIST) return refusal(path, "is there twice; exclude it, or pack it once");
    if (!file) return own(path);
    file_ = std::move(file);
    file_name_ = path;
    file_end_ = 0;
    ++files_;
    return {};
}

Built<void> TreeWriter::write(std::uint64_t offset, std::string_view data) {
    if (!file_) return {};
    // After a hole, data take up a block at least, however few they are.
    constexpr std::uint64_t block = 4096;
    bytes_ += data.size() + (offset > file_end_ ? block : 0);
    file_end_ = offset + data.size();
    if (bytes_ > limits_.bytes || offset > limits_.bytes) {
        return source_failure(
            fmt::format("more than {} bytes of files; if they are meant, raise limits.overlayBytes in "
                        "/etc/left4me/config.yaml",
                        limits_.bytes));
    }
    if (!store::write_at(file_.get(), data, offset, file_name_)) return own(file_name_);
    return {};
}

Built<void> TreeWriter::end_file(std::uint64_t size) {
    if (!file_) return {};
    if (size > limits_.bytes) {
        return refusal(file_name_,
                       fmt::format("has {} bytes; if they are meant, raise limits.overlayBytes in "
                                   "/etc/left4me/config.yaml",
                                   size));
    }
    struct stat status{};
    if (::fstat(file_.get(), &status) != 0) return own(file_name_);
    if (static_cast<std::uint64_t>(status.st_size) < size &&
        ::ftruncate(file_.get(), static_cast<off_t>(size)) != 0)
        return own(file_name_);
    file_.reset();
    return {};
}

Built<void> TreeWriter::link(std::string_view path, const std::string& target) {
    const auto to = destination_of(path);
    if (!to) return std::unexpected(to.error());
    if (!*to) return {};
    const auto& [parent, name] = **to;
    if (::symlinkat(target.c_str(), parent, name.c_str()) == 0) return {};
    if (errno == EEXIST) return refusal(path, "is there twice; exclude it, or pack it once");
    if (errno == ENAMETOOLONG || errno == ENOENT)  // longer than a path can be, or empty
        return refusal(path, "is a symlink to a path that cannot exist; exclude it");
    return own(path);
}

Built<void> TreeWriter::hard_link(std::string_view path, std::string_view original) {
    const auto to = destination_of(path);
    if (!to) return std::unexpected(to.error());
    if (!*to) return {};
    const auto& [parent, name] = **to;
    const auto from = mapped(original);
    if (!from) return refusal(path, "is a hard link, and " + from.error().message);
    const auto missing = [&] {
        return refusal(path,
                       fmt::format("is a hard link to {}, which is not a file among those before it; pack "
                                   "a copy, or exclude it",
                                   in_quotes(original)));
    };
    const Fd file = from->empty() ? Fd() : store::open_beneath(root_, *from, O_PATH | O_NOFOLLOW);
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) return missing();
    // By its path: linkat(2) with a descriptor needs a capability. Nobody else changes the tree meanwhile.
    if (::linkat(root_, from->c_str(), parent, name.c_str(), 0) == 0) {
        ++files_;
        return {};
    }
    if (errno == EEXIST) return refusal(path, "is there twice; exclude it, or pack it once");
    return own(path);
}

Built<void> TreeWriter::refuse(std::string_view path, const std::string& why) {
    const auto to = map(path);
    if (!to) return std::unexpected(to.error());
    if (to->empty()) return {};
    return refusal(path, why);
}

Built<std::string> TreeWriter::finish(const std::string& no_file) const {
    const auto tree = store::scan_tree(root_, limits_);
    if (!tree) return source_failure(tree.error());
    if (files_ == 0) return source_failure(no_file);
    auto digest = store::digest_tree(root_, *tree);
    if (!digest) return own_failure(errno, digest.error());
    (void)std::fprintf(stderr, "%s\n", fmt::format("{} files, {} bytes", files_, bytes_).c_str());
    return *digest;
}

}  // namespace left4me::builder
