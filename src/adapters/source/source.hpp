#pragma once

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

namespace left4me {

/// Whether a file of this name is a manifest. Hidden files and what editors leave beside a file (`~$x.yaml`,
/// `#x.yaml`) are not.
inline bool is_manifest_name(std::string_view name) {
    constexpr std::string_view leftovers = ".~#";
    return !name.empty() && !leftovers.contains(name.front()) &&
           (name.ends_with(".yaml") || name.ends_with(".yml"));
}

/// One whole reading of a source.
struct Snapshot {
    std::string revision;  ///< a commit id, or for a directory a content hash over names and texts
    std::vector<SourceFile> files;
    std::string prefix = {};   ///< goes before the files' names in messages: `4f1c0d2e9ab0:`
    std::string author = {};   ///< `Alice <alice@example.org>`; empty where nobody can be named
    std::string subject = {};  ///< the first line of the commit message
    std::optional<std::chrono::system_clock::time_point> at = {};  ///< when it was committed
};

struct SourceError {
    Trouble trouble = Trouble::None;
    std::string message;
    std::string revision = {};  ///< which one it is about; empty: none was found
};

/// Files to write and to remove; named as in the Snapshot that the change was made from.
struct SourceChange {
    std::map<std::filesystem::path, std::string> write;
    std::set<std::filesystem::path> remove;
    std::string base = {};  ///< that Snapshot's revision; empty: the source was blank

    bool empty() const { return write.empty() && remove.empty(); }
};

/// Who makes a change, and what they say about it.
struct Authorship {
    std::string name;
    std::string email;
    std::string message;
};

struct CommitError {
    bool moved = false;  ///< somebody else was faster: read again, make the change again
    std::string message;
};

/// Where manifests come from. Nothing is kept open between calls, so each sees the source as it is then.
class Source {
  public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual ~Source() = default;

    /// What to call it in a message: `/etc/left4me/manifests`.
    virtual std::string name() const = 0;

    /// The revision that the source stands at, whole. A source that is missing, unreadable or empty is an
    /// error: it never means "stop everything".
    virtual std::expected<Snapshot, SourceError> read() = 0;
    /// Another revision that the source still knows, by whatever name people give it.
    virtual std::expected<Snapshot, SourceError> read_revision(const std::string& revision) = 0;
    /// It is there and was never written to: where a host begins.
    virtual bool is_blank() = 0;
    /// Whether `now` may be followed by itself after `before`: no rewind, and no history written anew.
    virtual bool follows(const std::string& before, const std::string& now) = 0;

    /// How a file at the top of the source is named in a Snapshot.
    virtual std::string new_file(const std::string& name) const = 0;
    /// What a revision with these files would be called, as far as that can be known before it is made.
    virtual std::string expected_revision(const std::vector<SourceFile>& files) = 0;
    /// Makes a change whole or not at all, also when killed at any instant, and returns the new revision.
    /// Call it under the lock for edits.
    virtual std::expected<std::string, CommitError> commit(const SourceChange& change,
                                                           const Authorship& who) = 0;
    /// Finishes what an earlier commit() was killed in the middle of; reading does not depend on it.
    virtual std::expected<void, std::string> finish_commit() { return {}; }

    /// Files, and directories at any depth, whose change means that reading again may show another revision.
    virtual std::vector<std::filesystem::path> places() const = 0;

    /// How often fetch() is due; nullopt: everything there is to read is on this host.
    virtual std::optional<std::chrono::seconds> fetch_interval() const { return std::nullopt; }
    virtual std::expected<void, std::string> fetch() { return {}; }
};

}  // namespace left4me
