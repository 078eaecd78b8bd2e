#pragma once

#include <expected>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/status.hpp"

namespace left4me {

/// state/status.json: lastAttemptedRevision, lastAppliedRevision, sourceError, lastPass (absent before the
/// first), servers{NAME: generation, specification, fingerprint, heldSince (only while a change waits),
/// backoff{failures, failedAt, retryAt, crashed, pending, reason, message, asked} (only after failures),
/// lastAttemptedRevision, lastAppliedRevision, conditions[{type, status, reason, message, lastTransitionTime,
/// observedGeneration}]} and overlays{NAME: a backoff} (only those that could not be built). Times are RFC
/// 3339 in UTC. Fields are added, never renamed. A missing or damaged file reads as an empty Status: every
/// pass can do without it.
Status load_status(const Paths& paths);
/// Replaces the file at once (written beside, then renamed).
std::expected<void, std::string> save_status(const Paths& paths, const Status& status);

}  // namespace left4me
