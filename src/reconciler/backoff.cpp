#include "reconciler/backoff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "reconciler/digest.hpp"

namespace left4me {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr seconds first_delay{10};
constexpr seconds max_delay{300};
constexpr std::chrono::minutes forgotten_after{10};

bool is_nobodys_fault(FailureKind reason) {
    const FailureOrigin origin = origin_of(reason);
    return origin == FailureOrigin::Request || origin == FailureOrigin::Elsewhere;
}

/// An overlay whose source changed during the copy is built again immediately. If that fails too, the source
/// keeps changing, and retries without a delay would never end.
bool is_worth_one_retry(FailureKind reason, unsigned failures) {
    return reason == FailureKind::SourceChanged && failures == 1;
}

/// 0 … 2000, from the name alone (FNV-1a).
std::uint64_t spread(std::string_view name) {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    return (hash ^ (hash >> 32U)) % 2001;
}

bool starts(Verb verb) { return verb == Verb::Start || verb == Verb::Restart; }

/// Servers that should run and whose units had failed: starting them again corrects a failure.
std::map<Subject, SubjectFailure> failed_units(const Plan& attempted) {
    std::map<Subject, SubjectFailure> failures;
    for (const Action& action : attempted.actions) {  // a start comes after its prerequisites
        if (action.verb == Verb::ResetFailed) {
            failures.emplace(action.subject,
                             SubjectFailure{false, true, {}, FailureKind::UnitFailed, "the unit failed"});
        } else if (starts(action.verb)) {
            if (const auto found = failures.find(action.subject); found != failures.end())
                found->second.crashed = true;
        }
    }
    std::erase_if(failures, [](const auto& entry) { return !entry.second.crashed; });
    return failures;
}

}  // namespace

microseconds backoff_delay(const std::string& name, unsigned failures) {
    if (failures == 0) return microseconds{0};
    const unsigned doublings = std::min(failures - 1, 5U);
    const microseconds delay = std::min<microseconds>(first_delay * (1U << doublings), max_delay);
    return delay / 10'000 * static_cast<std::int64_t>(9'000 + spread(name));
}

std::string server_spec_hash(const TargetServer* target) {
    return target == nullptr ? "deleted" : fingerprint(*target->spec, target->digest());
}

std::string overlay_spec_hash(const Target& target, const std::string& overlay) {
    const auto found = target.overlays.find(overlay);
    if (found != target.overlays.end() && found->second.build) return found->second.build->input;
    return found != target.overlays.end() && found->second.artifact ? *found->second.artifact : "";
}

std::string tuning_hash(const Tuning& tuning) {
    Digest digest;
    for (const auto& [unit, settings] : tuning) digest.field(unit).field(tuning_text(unit, settings));
    return digest.hex();
}

bool backs_off(const Backoff& backoff, const std::string& spec_hash, TimePoint now) {
    if (!backoff.retry_at || now >= *backoff.retry_at || backoff.spec_hash != spec_hash) return false;
    // Further away than any delay: the clock was set back. Setting the clock back does not extend any wait.
    return *backoff.retry_at - now <= max_delay * 2;
}

bool is_retried(const Intent& intent, const Backoff& backoff) {
    return intent.retries(std::max(backoff.failed_at, backoff.corrected_at));
}

std::map<Subject, SubjectFailure> failures_of(const Plan& attempted, std::span<const Outcome> outcomes) {
    std::map<Subject, SubjectFailure> failures = failed_units(attempted);
    for (const Outcome& outcome : outcomes) {
        const Action& action = attempted.actions[outcome.action];
        // A game that hung has failed, though its restart succeeded.
        if (outcome.done && action.while_empty && action.while_empty->hangs) {
            failures[action.subject] = {false, true, {}, FailureKind::NotResponding, action.reason};
        }
        if (outcome.done || is_nobodys_fault(outcome.reason)) continue;
        failures[action.subject] = {starts(action.verb), false, action.verb, outcome.reason,
                                    fmt::format("{}: {}", to_string(action.verb), outcome.message)};
    }
    return failures;
}

Backoff next_backoff(const Backoff& previous, const std::string& name, const std::string& spec_hash,
                     const SubjectFailure* failure, TimePoint now) {
    Backoff next = previous.spec_hash == spec_hash ? previous : Backoff{};
    // A reset that failed stays held for longer: plan_reset().
    const bool kept = failure == nullptr && next.verb == Verb::Purge;
    if (next.failed_at && now - *next.failed_at >= forgotten_after && !kept) next = {};
    next.pending = previous.pending;  // correcting a forgotten failure is not a failure either
    if (failure == nullptr) return next;
    const bool counted = failure->found && previous.pending;
    next.pending = !failure->found;
    if (counted) {
        if (next.failures > 0) next.corrected_at = now;
        return next;
    }
    ++next.failures;
    next.failed_at = now;
    next.retry_at = now + backoff_delay(name, next.failures);
    next.crashed = failure->crashed;
    next.verb = failure->verb;
    next.reason = failure->reason;
    next.message = failure->message;
    next.spec_hash = spec_hash;
    return next;
}

Backoff backoff_of_build(const std::string& overlay, const UnitBuild& build) {
    Backoff backoff;
    if (!build.record.failure) return backoff;
    const BuildFailure& failure = *build.record.failure;
    backoff.failures = failure.failures;
    backoff.reason = failure_kind(failure.kind);
    backoff.message = failure.message;
    backoff.verb = Verb::Build;
    backoff.failed_at = failure.at;
    backoff.retry_at = failure.at;
    if (!is_worth_one_retry(backoff.reason, failure.failures))
        *backoff.retry_at += backoff_delay(overlay, failure.failures);
    // What keeps changing is another input each time, and yet the same matter; so is one that only the unit
    // cannot read.
    const bool any_input = failure.kind == BuildFailureKind::SourceChanged || failure.input.empty();
    backoff.spec_hash = any_input ? build.input : failure.input;
    return backoff;
}

std::string backoff_text(const Backoff& backoff) {
    return fmt::format("{}; the next try is at {}",
                       backoff.failures == 1 ? "failed" : fmt::format("failed {} times", backoff.failures),
                       clock_text(backoff.retry_at.value_or(TimePoint{})));
}

}  // namespace left4me
