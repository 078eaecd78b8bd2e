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

/// Where a revision comes from, as far as its source can tell.
struct RevisionOrigin {
    std::string revision;
    std::string author;
    std::string subject;  ///< first line of the commit message
    std::optional<TimePoint> committed_at;
};

/// How a revision stands after a pass, and the sentence for it.
struct Verdict {
    std::string result;
    std::string message;
};

/// What a pass follows.
struct Revisions {
    RevisionOrigin in_force;
    /// The source's own when that is invalid or waits for a person, and why.
    std::optional<std::pair<RevisionOrigin, Verdict>> refused;
};

/// What became of a revision.
struct HistoryEntry {
    RevisionOrigin origin;
    TimePoint first_attempt{};
    std::optional<TimePoint> settled_at;  ///< nullopt: still under way, or replaced by another before
    std::string result;                   ///< "Progressing", "Applied", "Held", "Failed" or "Invalid"
    std::string message;
};

Verdict verdict_of(const Plan& remaining, std::span<const Outcome> outcomes);

/// Adds a line to state/history.jsonl when the revision is attempted for the first time and when the verdict
/// is another one; once it was applied, nothing more. `is_new`: another revision was in force until now.
std::expected<void, std::string> note_history(const Paths& paths, const RevisionOrigin& origin,
                                              const Verdict& verdict, bool is_new, TimePoint now);

/// The same for a revision that is not followed. One that was applied once is another attempt.
std::expected<void, std::string> note_refused(const Paths& paths, const RevisionOrigin& origin,
                                              const Verdict& verdict, TimePoint now);

/// A revision an entry, the newest first; of its lines the last counts.
std::vector<HistoryEntry> read_history(const Paths& paths);
std::filesystem::path history_path(const Paths& paths);

}  // namespace left4me
