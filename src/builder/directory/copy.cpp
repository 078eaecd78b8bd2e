#include "builder/directory/copy.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "adapters/store/copy.hpp"
#include "adapters/store/source_root.hpp"

namespace left4me::builder {

namespace {

using Kind = store::TreeEntry::Kind;
using namespace std::chrono_literals;

std::unexpected<BuildError> changed(const DirectorySource& source) {
    return std::unexpected(BuildError{
        BuildFailureKind::SourceChanged,
        source.path + " changed while it was copied; it is copied again once it no longer changes"});
}

Built<store::Tree> scan(int root, const DirectorySource& source) {
    auto tree = store::scan_tree(root, source.limits);
    if (!tree) return source_failure(fmt::format("{}: {}", source.path, tree.error()));
    if (tree->entries.empty()) return source_failure(source.path + " is empty; is its file system mounted?");
    return std::move(*tree);
}

/// File times are coarse: another change within a moment might not show. So a source that changed a moment
/// ago is scanned again, and must then be the same. A change time in the future (the clock was set back) is
/// treated likewise.
Built<store::Tree> scan_settled(int root, const DirectorySource& source) {
    constexpr auto moment = 1s;
    std::string before;
    for (int attempt = 0; attempt < 5; ++attempt) {
        auto tree = scan(root, source);
        if (!tree) return tree;
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        const bool settled = std::chrono::nanoseconds(tree->stats.newest_change) < now - moment;
        if (settled || tree->stats.fingerprint == before) return tree;
        before = tree->stats.fingerprint;
        std::this_thread::sleep_for(moment + 100ms);
    }
    return changed(source);
}

/// A killed build may have left a part of it.
Fd create_file(int tree, const store::TreeEntry& entry) {
    const mode_t mode = entry.kind == Kind::Program ? store::overlay_program_mode : store::overlay_file_mode;
    const auto create = [&] {
        return Fd(
            ::openat(tree, entry.path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    };
    Fd file = create();
    if (!file && errno == EEXIST && ::unlinkat(tree, entry.path.c_str(), 0) == 0) file = create();
    return file;
}

Built<store::Content> stage_file(const DirectorySource& source, store::TreeFiles& files,
                                 const store::TreeEntry& entry, Staging& staging, Progress& progress) {
    const auto from = files.open(entry);
    if (!from) return source_failure(fmt::format("{}: {}", source.path, from.error()));
    const Fd into = create_file(staging.tree(), entry);
    if (!into) return own_failure(errno, store::io_error(entry.path).error());
    auto content = store::copy_content(from->get(), into.get(), entry.path,
                                       [&progress](std::uint64_t bytes) { progress.bytes(bytes); });
    if (!content) return own_failure(errno, content.error());
    if (auto noted = staging.remember(entry, *content); !noted) return std::unexpected(noted.error());
    return std::move(*content);
}

Built<store::Content> stage_entry(const DirectorySource& source, store::TreeFiles& files,
                                  const store::TreeEntry& entry, Staging& staging, Progress& progress) {
    switch (entry.kind) {
        case Kind::Directory:
            if (::mkdirat(staging.tree(), entry.path.c_str(), store::overlay_directory_mode) != 0 &&
                errno != EEXIST)
                return own_failure(errno, store::io_error(entry.path).error());
            return store::Content{};
        case Kind::Link:
            if (::symlinkat(entry.target.c_str(), staging.tree(), entry.path.c_str()) != 0)
                return own_failure(errno, store::io_error(entry.path).error());
            return store::Content{};
        case Kind::File:
        case Kind::Program:
            break;
    }
    auto content = staging.staged(entry);
    if (content) {
        progress.bytes(entry.bytes);
        progress.file();
        return std::move(*content);
    }
    auto copied = stage_file(source, files, entry, staging, progress);
    if (copied) progress.file();
    return copied;
}

}  // namespace

Built<Staged> stage_directory(const DirectorySource& source, Staging& staging, Progress& progress,
                              std::string& input) {
    const auto root = store::open_source(source);
    if (!root) return source_failure(root.error());
    const auto tree = scan_settled(root->get(), source);
    if (!tree) return std::unexpected(tree.error());
    input = tree->stats.fingerprint;

    std::uint64_t files = 0;
    for (const store::TreeEntry& entry : tree->entries) {
        if (entry.kind == Kind::File || entry.kind == Kind::Program) ++files;
    }
    progress.begin(BuildPhase::Copying, tree->bytes, files, input);
    if (auto pruned = staging.prune(*tree); !pruned) return std::unexpected(pruned.error());
    store::TreeDigest digest;
    store::TreeFiles sources(root->get());
    for (const store::TreeEntry& entry : tree->entries) {
        const auto content = stage_entry(source, sources, entry, staging, progress);
        if (!content) return std::unexpected(content.error());
        digest.add(entry, *content);
    }
    const auto after = scan(root->get(), source);
    if (!after || after->stats.fingerprint != input) return changed(source);
    return Staged{digest.hex(), input};
}

}  // namespace left4me::builder
