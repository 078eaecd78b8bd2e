#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "adapters/paths.hpp"
#include "reconciler/status.hpp"

namespace left4me {

/// The origin of a revision, as far as its source knows it.
struct RevisionOrigin {
    std::string revision;
    std::string author;
    std::string subject;  ///< first line of the commit message
    std::optional<TimePoint> committed_at;
};

/// The result of a revision after a pass, with a sentence.
struct RevisionResult {
    std::string result;
    std::string message;
};

/// The revisions that a pass is about.
struct Revisions {
    RevisionOrigin in_force;
    /// The source's newest revision if it is invalid or waits for a person, and why.
    std::optional<std::pair<RevisionOrigin, RevisionResult>> refused;
};

/// One revision with its result.
struct HistoryEntry {
    RevisionOrigin origin;
    TimePoint first_attempt{};
    std::optional<TimePoint> settled_at;  ///< nullopt: in progress, or replaced by another revision first
    std::string result;                   ///< "Progressing", "Applied", "Held", "Failed" or "Invalid"
    std::string message;
};

RevisionResult revision_result(const Plan& remaining, std::span<const Outcome> outcomes);

/// Adds a line to state/history.jsonl when the revision is first attempted and when its result changes;
/// nothing more once it was applied. `is_new`: another revision was in force before.
std::expected<void, std::string> note_history(const Paths& paths, const RevisionOrigin& origin,
                                              const RevisionResult& verdict, bool is_new, TimePoint now);

/// The same for a revision that is not followed. If it was applied once, this is a new attempt.
std::expected<void, std::string> note_refused(const Paths& paths, const RevisionOrigin& origin,
                                              const RevisionResult& verdict, TimePoint now);

/// One entry per revision, the newest first; the last line of each counts.
std::vector<HistoryEntry> read_history(const Paths& paths);
std::filesystem::path history_path(const Paths& paths);

}  // namespace left4me
