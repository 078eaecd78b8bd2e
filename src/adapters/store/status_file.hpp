#pragma once

#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>

#include "adapters/paths.hpp"
#include "reconciler/status.hpp"

namespace left4me {

/// state/status.json: lastAttemptedRevision, lastAppliedRevision, sourceError, lastPass (absent before the
/// first), servers{NAME: generation, specification, fingerprint, heldSince (only while a change waits),
/// drainingSince (only while a stop waits for players), backoff{failures, failedAt, retryAt, correctedAt,
/// crashed, pending, reason, message, asked, verb} (only after failures), lastAttemptedRevision,
/// lastAppliedRevision, conditions[{type, status, reason, message, lastTransitionTime, observedGeneration}]}
/// and overlays{NAME: a backoff} (only those whose last build failed). Times are RFC 3339 in UTC. Fields may
/// be added but are never renamed. A missing or unknown field is skipped; a missing or damaged file reads as
/// an empty Status: every pass can do without it.
Status load_status(const Paths& paths);
/// Replaces the file atomically (written next to it, then renamed).
std::expected<void, std::string> save_status(const Paths& paths, const Status& status);

/// The same file for a process that observes the host repeatedly. Skips reading back our own writes, and
/// skips writing if there is nothing new. Only while holding the pass lock, because then nobody else writes.
class StatusFile {
  public:
    explicit StatusFile(Paths paths) : paths_(std::move(paths)) {}

    /// The content that others have written; nullopt: unchanged since it was last read or written here.
    std::optional<Status> read_if_changed();
    /// Writes changes. The time of the observation counts as a change only after some seconds. A failed write
    /// is retried by the next call.
    std::expected<void, std::string> save(const Status& status);

  private:
    /// Differs if the file was replaced or written to; all zero: there is none.
    struct Stamp {
        ino_t inode = 0;
        off_t size = 0;
        std::int64_t changed_ns = 0;

        bool operator==(const Stamp&) const = default;
    };
    Stamp stamp() const;

    Paths paths_;
    std::optional<Stamp> seen_;  ///< nullopt: never read
    Status kept_;                ///< the content of the file
};

}  // namespace left4me
