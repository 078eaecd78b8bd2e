#pragma once

#include <map>
#include <span>
#include <string>

#include "reconciler/host.hpp"

namespace left4me {

/// How long nothing is tried after `failures` failures in a row: ten seconds, then twice as long each time,
/// five minutes at most; up to a tenth more or less, always the same for one name, so that a hundred servers
/// that failed together do not try again together.
std::chrono::microseconds backoff_delay(const std::string& name, unsigned failures);

/// What was asked of a server when it failed. Something else may work, and is tried at once.
std::string asked_of(const TargetServer* target);
/// The digest of what its source holds; of a source that a unit builds, its UnitBuild::input; empty if that
/// cannot be told.
std::string asked_of_overlay(const Target& target, const std::string& overlay);

/// Nothing is to be tried yet. `asked`: asked_of() it now.
bool backs_off(const Backoff& backoff, const std::string& asked, TimePoint now);

/// What went wrong with one server or overlay in a pass, and was its own fault: not that a bus or a helper
/// was away, nor that something else failed first.
struct Mishap {
    bool crashed = false;      ///< the unit failed, or could not be started
    bool found = false;        ///< the pass found it like that, and has corrected it
    std::optional<Verb> verb;  ///< what failed; nullopt: the unit by itself
    FailureKind reason = FailureKind::Unknown;
    std::string message;
};

std::map<Subject, Mishap> mishaps_of(const Plan& attempted, std::span<const Outcome> outcomes);

/// The backoff after a pass at `now`; `mishap` is nullptr when nothing went wrong. Ten minutes without one
/// make good for all before.
Backoff next_backoff(const Backoff& previous, const std::string& name, const std::string& asked,
                     const Mishap* mishap, TimePoint now);

/// The backoff after builds in a unit, which counts its failures itself.
Backoff backoff_of_build(const std::string& overlay, const UnitBuild& build);

/// "failed 3 times; the next try is at 12:03:04 UTC".
std::string backoff_text(const Backoff& backoff);

/// It failed again after it had been started again: no wonder any more, and nothing to wait out.
inline bool is_crash_loop(const Backoff& backoff) { return backoff.crashed && backoff.failures >= 2; }

}  // namespace left4me
