#include "builder/staging.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string_view>

#include "adapters/store/copy.hpp"
#include "adapters/store/files.hpp"

namespace left4me::builder {

namespace {

using Kind = store::TreeEntry::Kind;

constexpr const char* tree_name = "tree";
constexpr const char* journal_name = "journal";
constexpr std::size_t max_journal_bytes = 1U << 30U;

// One record: the entry's looks, 's' or '-', the SHA-256.
constexpr std::size_t looks_bytes = 16;
constexpr std::size_t digest_bytes = 32;
constexpr std::size_t record_bytes = looks_bytes + 1 + digest_bytes;

std::string boot_id() {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string id;
    std::getline(file, id);
    return "boot " + id + "\n";
}

Kind kind_of(const struct stat& status) {
    if (S_ISDIR(status.st_mode)) return Kind::Directory;
    return S_ISLNK(status.st_mode) ? Kind::Link : Kind::File;
}

Kind without_mode(Kind kind) { return kind == Kind::Program ? Kind::File : kind; }

const store::TreeEntry* find(const store::Tree& tree, const std::string& path) {
    const auto found = std::lower_bound(
        tree.entries.begin(), tree.entries.end(), path,
        [](const store::TreeEntry& entry, const std::string& wanted) { return entry.path < wanted; });
    return found != tree.entries.end() && found->path == path ? &*found : nullptr;
}

}  // namespace

namespace {

Built<void> remove(int directory, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        if (auto removed = store::remove_tree(directory, name); !removed)
            return own_failure(errno, removed.error());
    }
    return {};
}

}  // namespace

Built<Staging> Staging::open(int build_directory) {
    const std::string boot = boot_id();
    std::string journal =
        store::read_file(build_directory, journal_name, max_journal_bytes).value_or(std::string());
    if (!journal.starts_with(boot)) {
        if (auto gone = discard(build_directory); !gone) return std::unexpected(gone.error());
        journal.clear();
    }
    auto tree = store::make_directory(build_directory, tree_name, store::overlay_directory_mode);
    if (!tree) return own_failure(errno, tree.error());
    Fd file(::openat(build_directory, journal_name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC,
                     0640));
    if (!file) return own_failure(errno, store::io_error(journal_name).error());
    Staging staging(build_directory, std::move(*tree), std::move(file));
    if (journal.empty()) {
        if (auto wrote = store::write_all(staging.journal_.get(), boot, journal_name); !wrote)
            return own_failure(errno, wrote.error());
    } else {
        // A truncated record of a killed build would run into the next one.
        const std::size_t whole = boot.size() + (journal.size() - boot.size()) / record_bytes * record_bytes;
        if (::ftruncate(staging.journal_.get(), static_cast<off_t>(whole)) != 0)
            return own_failure(errno, store::io_error(journal_name).error());
        staging.read(journal.substr(boot.size(), whole - boot.size()));
    }
    return staging;
}

void Staging::read(const std::string& journal) {
    for (std::size_t at = 0; at + record_bytes <= journal.size(); at += record_bytes) {
        known_[journal.substr(at, looks_bytes)] = {journal.substr(at + looks_bytes + 1, digest_bytes),
                                                   journal[at + looks_bytes] == 's'};
    }
}

Built<void> Staging::prune(const store::Tree& tree) { return prune_beneath(tree_.get(), "", tree); }

Built<void> Staging::prune_beneath(int directory, const std::string& prefix, const store::Tree& tree) {
    for (const std::string& name : store::list(directory)) {
        const std::string path = prefix + name;
        struct stat status{};
        if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
            return own_failure(errno, store::io_error(path).error());
        const store::TreeEntry* const entry = find(tree, path);
        const bool fits = entry != nullptr && without_mode(entry->kind) == kind_of(status);
        if (fits && entry->kind == Kind::Directory) {
            const Fd inside = store::open_directory(directory, name);
            if (!inside) return own_failure(errno, store::io_error(path).error());
            if (auto pruned = prune_beneath(inside.get(), path + "/", tree); !pruned) return pruned;
            continue;
        }
        if (fits && entry->kind != Kind::Link && known_.contains(entry->stats)) continue;
        if (auto removed = store::remove_tree(directory, name); !removed)
            return own_failure(errno, removed.error());
    }
    return {};
}

std::optional<store::Content> Staging::staged(const store::TreeEntry& entry) const {
    const auto found = known_.find(entry.stats);
    if (found == known_.end()) return std::nullopt;
    struct stat status{};
    const bool there = ::fstatat(tree_.get(), entry.path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!there || !S_ISREG(status.st_mode)) return std::nullopt;
    return found->second;
}

Built<void> Staging::remember(const store::TreeEntry& entry, const store::Content& content) {
    const std::string record = entry.stats + (content.sparse ? "s" : "-") + content.digest;
    if (auto wrote = store::write_all(journal_.get(), record, journal_name); !wrote)
        return own_failure(errno, wrote.error());
    return {};
}

Built<bool> Staging::publish(int overlay, const std::string& digest) {
    // Nobody compares artifacts with their sources later, so an artifact's name must never refer to
    // half-written files, even after a power cut.
    if (::syncfs(tree_.get()) != 0) return own_failure(errno, store::io_error("writing to disk").error());
    const bool fresh = ::renameat2(directory_, tree_name, overlay, digest.c_str(), RENAME_NOREPLACE) == 0;
    if (!fresh && errno != EEXIST) return own_failure(errno, store::io_error(digest).error());
    if (fresh && ::fsync(overlay) != 0) return own_failure(errno, store::io_error(digest).error());
    if (auto gone = discard(directory_); !gone) return std::unexpected(gone.error());
    return fresh;
}

Built<void> Staging::restart() {
    // The journal keeps its first line: without one, open() discards the download, too.
    if (::ftruncate(journal_.get(), static_cast<off_t>(boot_id().size())) != 0)
        return own_failure(errno, store::io_error(journal_name).error());
    known_.clear();
    if (auto gone = remove(directory_, {tree_name}); !gone) return gone;
    auto tree = store::make_directory(directory_, tree_name, store::overlay_directory_mode);
    if (!tree) return own_failure(errno, tree.error());
    tree_ = std::move(*tree);
    return {};
}

Built<void> Staging::move_tree_to(int directory, const std::string& name) {
    if (::renameat(directory_, tree_name, directory, name.c_str()) != 0)
        return own_failure(errno, store::io_error(name).error());
    return restart();
}

Built<void> Staging::adopt(int directory, const std::string& name) {
    if (auto empty = restart(); !empty) return empty;
    // The one that restart() made is empty, and is replaced.
    if (::renameat(directory, name.c_str(), directory_, tree_name) != 0)
        return own_failure(errno, store::io_error(name).error());
    tree_ = store::open_directory(directory_, tree_name);
    if (!tree_) return own_failure(errno, store::io_error(tree_name).error());
    return {};
}

Built<void> Staging::discard(int build_directory) {
    // The journal first: it must not mention files that are gone.
    return remove(build_directory, {journal_name, tree_name, download_name});
}

}  // namespace left4me::builder
