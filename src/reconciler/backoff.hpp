#pragma once

#include <map>
#include <span>
#include <string>

#include "reconciler/host.hpp"
#include "reconciler/intent.hpp"

namespace left4me {

/// How long to wait after `failures` failures in a row: ten seconds, then twice as long each time, at most
/// five minutes. Varies by up to a tenth, always by the same amount for one name, so that a hundred servers
/// that failed together are not retried together.
std::chrono::microseconds backoff_delay(const std::string& name, unsigned failures);

/// A fingerprint of what a server should be. If it has changed since the failure, the server is retried
/// immediately.
std::string server_spec_hash(const TargetServer* target);
/// The digest of what its source holds; of a source that a unit builds, its UnitBuild::input; empty if that
/// cannot be told.
std::string overlay_spec_hash(const Target& target, const std::string& overlay);

/// Tells whether a Tuning has changed.
std::string tuning_hash(const Tuning& tuning);

/// Whether the next retry is not due yet. `spec_hash`: the current one.
bool backs_off(const Backoff& backoff, const std::string& spec_hash, TimePoint now);

/// Whether a person has asked for a retry since: the wait for the next one is over. What a person retried
/// once is not retried at once again when it fails later.
bool is_retried(const Intent& intent, const Backoff& backoff);

/// A failure of one server or overlay in a pass for which it is itself responsible: not a missing bus or
/// helper, and not an earlier failure of something else.
struct SubjectFailure {
    bool crashed = false;      ///< the unit failed, or could not be started
    bool found = false;        ///< the pass found the failure, and has corrected it
    std::optional<Verb> verb;  ///< the verb that failed; nullopt: the unit failed by itself
    FailureKind reason = FailureKind::Unknown;
    std::string message;
};

std::map<Subject, SubjectFailure> failures_of(const Plan& attempted, std::span<const Outcome> outcomes);

/// The backoff after a pass at `now`; `failure` is nullptr if nothing failed. Ten minutes without a failure
/// reset the count.
Backoff next_backoff(const Backoff& previous, const std::string& name, const std::string& spec_hash,
                     const SubjectFailure* failure, TimePoint now);

/// The backoff after builds in a unit, which counts its failures itself.
Backoff backoff_of_build(const std::string& overlay, const UnitBuild& build);

/// "failed 3 times; the next try is at 12:03:04 UTC".
std::string backoff_text(const Backoff& backoff);

/// It failed again after it had been restarted: no longer an exception, and there is nothing to wait for.
inline bool is_crash_loop(const Backoff& backoff) { return backoff.crashed && backoff.failures >= 2; }

}  // namespace left4me
