#include "adapters/directory/manifest_directory.hpp"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "adapters/directory/source.hpp"

namespace left4me {

namespace fs = std::filesystem;

ManifestDirectory::ManifestDirectory(fs::path directory, Limits limits)
    : directory_(std::move(directory)), limits_(limits) {}

std::string ManifestDirectory::name() const { return directory_.string(); }

std::expected<Snapshot, SourceError> ManifestDirectory::read() {
    auto snapshot = read_directory(directory_, limits_);
    if (snapshot) return std::move(*snapshot);
    // A file that a person wrote as root is a mistake in that file, not the loss of the source.
    if (std::string message = unreadable_manifest(directory_); !message.empty())
        return std::unexpected(SourceError{SourceErrorKind::Invalid, std::move(message)});
    return std::unexpected(SourceError{SourceErrorKind::Vanished, snapshot.error() + "\n"});
}

std::expected<Snapshot, SourceError> ManifestDirectory::read_revision(const std::string& revision) {
    auto snapshot = read();
    if (!snapshot || snapshot->revision == revision) return snapshot;
    return std::unexpected(
        SourceError{SourceErrorKind::Vanished,
                    fmt::format("{} holds revision {} and no other; a git source keeps every one\n",
                                directory_.string(), snapshot->revision),
                    revision});
}

bool ManifestDirectory::is_blank() {
    std::error_code ignored;
    if (!fs::is_directory(directory_, ignored)) return false;
    const auto files = read_manifests(directory_, limits_);
    return files && !has_manifests(*files);
}

bool ManifestDirectory::follows(const std::string& /*before*/, const std::string& /*now*/) { return true; }

std::string ManifestDirectory::new_file(const std::string& name) const {
    return (directory_ / name).string();
}

std::string ManifestDirectory::expected_revision(const std::vector<SourceFile>& files) {
    return revision_of(directory_, files);
}

std::expected<std::string, CommitError> ManifestDirectory::commit(const SourceChange& change,
                                                                  const Authorship& /*who*/) {
    if (auto written = left4me::commit(directory_, change); !written) {
        return std::unexpected(CommitError{false, written.error()});
    }
    const auto snapshot = read_directory(directory_, limits_);
    if (!snapshot) return std::unexpected(CommitError{false, snapshot.error()});
    return snapshot->revision;
}

std::expected<void, std::string> ManifestDirectory::finish_commit() {
    return left4me::finish_commit(directory_);
}

std::vector<fs::path> ManifestDirectory::watch_paths() const { return {directory_}; }

}  // namespace left4me
