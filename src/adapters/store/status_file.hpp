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
/// backoff{failures, failedAt, retryAt, crashed, pending, reason, message, asked, verb} (only after
/// failures), lastAttemptedRevision, lastAppliedRevision, conditions[{type, status, reason, message,
/// lastTransitionTime, observedGeneration}]} and overlays{NAME: a backoff} (only those that could not be
/// built). Times are RFC 3339 in UTC. Fields are added, never renamed. A missing or unknown field is passed
/// over; a missing or damaged file reads as an empty Status: every pass can do without it.
Status load_status(const Paths& paths);
/// Replaces the file at once (written beside, then renamed).
std::expected<void, std::string> save_status(const Paths& paths, const Status& status);

/// The same file for somebody who looks at the host again and again: what he has written himself he need not
/// read, and what says nothing new he need not write. Only under the pass lock, for then nobody else writes.
class StatusFile {
  public:
    explicit StatusFile(Paths paths) : paths_(std::move(paths)) {}

    /// What others have made of the file; nullopt: it is as it was when it was read or written here last.
    std::optional<Status> read_if_changed();
    /// Writes what is new. That the host was looked at is new only after some seconds. What could not be
    /// written is tried again by the next call.
    std::expected<void, std::string> save(const Status& status);

  private:
    /// Another one when the file was replaced or written to; all zero: there is none.
    struct Stamp {
        ino_t inode = 0;
        off_t size = 0;
        std::int64_t changed_ns = 0;

        bool operator==(const Stamp&) const = default;
    };
    Stamp stamp() const;

    Paths paths_;
    std::optional<Stamp> seen_;  ///< nullopt: never looked
    Status kept_;                ///< what the file says
};

}  // namespace left4me
