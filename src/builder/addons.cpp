#include "builder/addons.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "adapters/store/copy.hpp"
#include "adapters/store/files.hpp"
#include "builder/at_once.hpp"
#include "builder/say.hpp"
#include "reconciler/digest.hpp"
#include "specs/text.hpp"

namespace left4me::builder {

namespace {

using Kind = store::TreeEntry::Kind;

constexpr const char* game = "left4dead2";
constexpr const char* addons = "left4dead2/addons";
/// In `.build/download`.
constexpr const char* copy_name = "copy";

std::unexpected<BuildError> own(const std::string& name) {
    const int error = errno;
    return own_failure(error, store::io_error(in_quotes(name)).error());
}

/// A file is identified by what its source knows of it.
store::Tree tree_of(const std::vector<Addon>& files) {
    store::Tree tree;
    for (const char* directory : {game, addons})
        tree.entries.push_back({.kind = Kind::Directory, .path = directory, .target = {}, .stats = {}});
    for (const Addon& file : files) {
        tree.entries.push_back(
            {.kind = Kind::File,
             .path = addon_path(file.name),
             .target = {},
             .bytes = file.size,
             .stats = Digest().field(file.name).number(file.size).field(file.identity).hex()});
    }
    return tree;
}

}  // namespace

std::string addon_path(const std::string& name) { return fmt::format("{}/{}", addons, name); }

Addons::Addons(std::vector<Addon> files, int build_directory, int last_artifact, Staging& staging,
               Progress& progress, std::string input)
    : files_(std::move(files)),
      build_directory_(build_directory),
      last_artifact_(last_artifact),
      staging_(staging),
      progress_(progress),
      input_(std::move(input)),
      tree_(tree_of(files_)) {}

Built<Staged> Addons::stage(const AddonSource& source) {
    if (auto prepared = prepare(); !prepared) return std::unexpected(prepared.error());
    const auto named = [&source](std::size_t i, BuildError error) {
        error.message = printable_line(fmt::format("{}: {}", source.name(i), error.message));
        return std::unexpected(std::move(error));
    };
    contents_.resize(files_.size());
    std::vector<std::size_t> missing;
    for (std::size_t i = 0; i < files_.size(); ++i) {
        progress_.item(i + 1, files_.size(), source.name(i));
        auto content = stage_present(i, source);
        if (!content) return named(i, content.error());
        if (*content) {
            contents_[i] = std::move(**content);
        } else {
            missing.push_back(i);
        }
    }
    progress_.leave();
    std::stop_source stop = source.stop;
    const auto fetch = [&](std::size_t number) -> Built<void> {
        const std::size_t i = missing[number];
        progress_.item(i + 1, files_.size(), source.name(i));
        auto content = stage_fetched(i, source);
        progress_.leave();
        if (!content) return named(i, content.error());
        contents_[i] = std::move(*content);
        return {};
    };
    if (auto fetched = for_each_at_once(missing.size(), source.at_once, stop, fetch); !fetched)
        return std::unexpected(fetched.error());
    store::TreeDigest digest;
    for (std::size_t i = 0; i < directories; ++i) digest.add(tree_.entries[i], {});
    for (std::size_t i = 0; i < files_.size(); ++i) digest.add(entry(i), contents_[i]);
    say(fmt::format("{} files: {} fetched, {} as before", files_.size(), missing.size(),
                    files_.size() - missing.size()));
    return Staged{digest.hex(), input_};
}

Built<void> Addons::prepare() {
    auto downloads = store::make_directory(build_directory_, Staging::download_name, 0750);
    if (!downloads) return own_failure(errno, downloads.error());
    downloads_ = std::move(*downloads);
    if (auto pruned = staging_.prune(tree_); !pruned) return pruned;
    for (const char* path : {game, addons}) {
        if (auto made = store::make_directory(staging_.tree(), path, store::overlay_directory_mode); !made)
            return own_failure(errno, made.error());
    }
    return check_space();
}

/// Its file in the last artifact, if that has one of this size.
std::optional<Fd> Addons::open_last(const store::TreeEntry& entry) const {
    if (last_artifact_ < 0) return std::nullopt;
    Fd file = store::open_beneath(last_artifact_, entry.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    struct stat status{};
    if (!file || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
        static_cast<std::uint64_t>(status.st_size) != entry.bytes)
        return std::nullopt;
    return file;
}

/// Before anything is fetched. Copies from the last artifact may share its blocks, so they do not count.
Built<void> Addons::check_space() const {
    std::uint64_t needed = 0;
    for (std::size_t i = 0; i < files_.size(); ++i) {
        if (!staging_.staged(entry(i)) && !open_last(entry(i))) needed += files_[i].size;
    }
    struct statvfs space{};
    if (::fstatvfs(staging_.tree(), &space) != 0) return {};
    const std::uint64_t available = static_cast<std::uint64_t>(space.f_bavail) * space.f_frsize;
    if (needed <= available) return {};
    return own_failure(ENOSPC,
                       fmt::format("the files that are to be fetched have {} bytes, and the disk has {} free",
                                   needed, available));
}

Built<std::optional<store::Content>> Addons::stage_present(std::size_t index, const AddonSource& source) {
    if (auto content = staging_.staged(entry(index))) return content;
    auto reused = reuse(index, source);
    if (!reused || !*reused) return reused;
    if (auto kept = keep(index, copy_name, **reused); !kept) return std::unexpected(kept.error());
    return reused;
}

Built<store::Content> Addons::stage_fetched(std::size_t index, const AddonSource& source) {
    const auto name = source.fetch(index);
    if (!name) return std::unexpected(name.error());
    const Fd file(::openat(downloads_.get(), name->c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) return own(*name);
    auto content = store::hash_content(file.get(), *name);
    if (!content) return own_failure(errno, content.error());
    if (auto kept = keep(index, *name, *content); !kept) return std::unexpected(kept.error());
    if (auto done = source.staged(index); !done) return std::unexpected(done.error());
    return std::move(*content);
}

/// In `copy_name`; nullopt: the last artifact does not have it.
Built<std::optional<store::Content>> Addons::reuse(std::size_t index, const AddonSource& source) {
    const auto from = open_last(entry(index));
    if (!from) return std::nullopt;
    progress_.begin(BuildPhase::Copying, files_[index].size, 0, input_);
    if (::unlinkat(downloads_.get(), copy_name, 0) != 0 && errno != ENOENT) return own(copy_name);
    const Fd into(::openat(downloads_.get(), copy_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                           store::overlay_file_mode));
    if (!into) return own(copy_name);
    auto content = store::copy_content(from->get(), into.get(), files_[index].name,
                                       [this](std::uint64_t more) { progress_.bytes(more); });
    if (!content) return own_failure(errno, content.error());
    const auto right = source.is_right(index, into.get(), *content);
    if (!right) return std::unexpected(right.error());
    if (!*right) return std::nullopt;
    return std::move(*content);
}

/// Moves a file from `.build/download` into the tree, from where it is not fetched again.
Built<void> Addons::keep(std::size_t index, const std::string& name, const store::Content& content) {
    const std::lock_guard lock(mutex_);
    if (::renameat(downloads_.get(), name.c_str(), staging_.tree(), entry(index).path.c_str()) != 0)
        return own(files_[index].name);
    return staging_.remember(entry(index), content);
}

}  // namespace left4me::builder
