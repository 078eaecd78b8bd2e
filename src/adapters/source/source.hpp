#pragma once

#include <algorithm>
#include <chrono>
#include <expected>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reconciler/reason.hpp"
#include "specs/load.hpp"
#include "specs/lock.hpp"

namespace left4me {

/// Whether a file of this name is a manifest. Hidden files and temporary files of editors (`~$x.yaml`,
/// `#x.yaml`) are not.
inline bool is_manifest_name(std::string_view name) {
    constexpr std::string_view leftovers = ".~#";
    return !name.empty() && !leftovers.contains(name.front()) &&
           (name.ends_with(".yaml") || name.ends_with(".yml"));
}

/// The same of the lock file, which is read at the top of a source only (`depth` 0).
inline bool is_source_name(std::string_view name, int depth) {
    return is_manifest_name(name) || (depth == 0 && name == lock_file_name);
}

/// Whether there is anything but the lock file: without manifests a source has vanished.
inline bool has_manifests(const std::vector<SourceFile>& files) {
    return std::any_of(files.begin(), files.end(),
                       [](const SourceFile& file) { return !is_lock_file(file.name); });
}

/// One whole snapshot of a source.
struct Snapshot {
    std::string revision;  ///< a commit id, or for a directory a hash of names and texts
    std::vector<SourceFile> files;
    std::string prefix = {};   ///< prepended to the files' names in messages: `4f1c0d2e9ab0:`
    std::string author = {};   ///< `Alice <alice@example.org>`; empty if unknown
    std::string subject = {};  ///< the first line of the commit message
    std::optional<std::chrono::system_clock::time_point> at = {};  ///< when it was committed
};

struct SourceError {
    SourceErrorKind error_kind = SourceErrorKind::None;
    std::string message;
    std::string revision = {};  ///< the revision that the error is about; empty: none was found
};

/// Files to write and to remove, named as in the Snapshot that the change was made from.
struct SourceChange {
    std::map<std::filesystem::path, std::string> write;
    std::set<std::filesystem::path> remove;
    std::string base = {};  ///< that Snapshot's revision; empty: the source was blank

    bool empty() const { return write.empty() && remove.empty(); }
};

/// The author of a change, and the commit message.
struct Authorship {
    std::string name;
    std::string email;
    std::string message;
};

struct CommitError {
    bool moved = false;  ///< somebody else was faster: read again and redo the change
    std::string message;
};

/// A source of manifests. Nothing is kept open between calls, so each call sees the current state.
class Source {
  public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    /// Its name in messages: `/etc/left4me/manifests`.
    virtual std::string name() const = 0;

    /// The source's newest revision. A source that is missing, unreadable or empty is an error: it never
    /// means "stop everything".
    virtual std::expected<Snapshot, SourceError> read() = 0;
    /// Another revision that the source still has, under any name that people use for it.
    virtual std::expected<Snapshot, SourceError> read_revision(const std::string& revision) = 0;
    /// It exists and was never written to: the state of a new host.
    virtual bool is_blank() = 0;
    /// Whether `now` may follow `before` without approval: no rewind, and no rewritten history.
    virtual bool follows(const std::string& before, const std::string& now) = 0;

    /// The name of a top-level file of the source in a Snapshot.
    virtual std::string new_file(const std::string& name) const = 0;
    /// The name of a revision with these files, if it can be known before the revision exists.
    virtual std::string expected_revision(const std::vector<SourceFile>& files) = 0;
    /// Makes a change atomically, even if killed at any instant, and returns the new revision. Call it while
    /// holding the lock for edits.
    virtual std::expected<std::string, CommitError> commit(const SourceChange& change,
                                                           const Authorship& who) = 0;
    /// Completes an earlier commit() that was killed; reading does not depend on it.
    virtual std::expected<void, std::string> finish_commit() { return {}; }

    /// Files, and directories at any depth, whose change means that the source may have a new revision.
    virtual std::vector<std::filesystem::path> watch_paths() const = 0;

    /// How often fetch() is due; nullopt: the source is entirely on this host.
    virtual std::optional<std::chrono::seconds> fetch_interval() const { return std::nullopt; }
    virtual std::expected<void, std::string> fetch() { return {}; }
};

}  // namespace left4me
