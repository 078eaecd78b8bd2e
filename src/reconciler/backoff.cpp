#include "reconciler/backoff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

namespace left4me {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr seconds first_delay{10};
constexpr seconds longest_delay{300};
constexpr std::chrono::minutes forgotten_after{10};

/// Nothing that the server could have done better: the way to it was blocked, somebody else was faster, or
/// its files were just being written.
bool is_nobodys_fault(FailureKind reason) {
    switch (reason) {
        case FailureKind::PrerequisiteFailed:
        case FailureKind::SourceChanged:
        case FailureKind::InUse:
        case FailureKind::Canceled:
        case FailureKind::Disconnected:
        case FailureKind::NoAnswer:
        case FailureKind::NoReply:
        case FailureKind::AccessDenied:
        case FailureKind::BusError:
        case FailureKind::HelperFailed:
        case FailureKind::HelperMissing:
            return true;
        case FailureKind::Refused:
        case FailureKind::IOError:
        case FailureKind::NoSpace:
        case FailureKind::UnitFailed:
        case FailureKind::JobFailed:
        case FailureKind::JobTimeout:
        case FailureKind::JobLost:
        case FailureKind::DependencyFailed:
        case FailureKind::Skipped:
        case FailureKind::Collected:
        case FailureKind::InvalidJob:
        case FailureKind::AssertFailed:
        case FailureKind::Unsupported:
        case FailureKind::StartLimitHit:
        case FailureKind::ExitCode:
        case FailureKind::Signal:
        case FailureKind::CoreDump:
        case FailureKind::Timeout:
        case FailureKind::Watchdog:
        case FailureKind::OutOfMemory:
        case FailureKind::Resources:
        case FailureKind::Protocol:
        case FailureKind::ConditionFailed:
        case FailureKind::AttachFailed:
        case FailureKind::UnmountFailed:
        case FailureKind::InvalidName:
        case FailureKind::NotForUnits:
        case FailureKind::Unknown:
            return false;
    }
    return false;
}

/// An overlay's source that changed during the copy is built again at once; if that fails too, something
/// keeps changing it, and a retry without a delay would never end.
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

/// Servers whose units had failed and that are to run: what starts them again corrects a failure.
std::map<Subject, Mishap> failed_units(const Plan& attempted) {
    std::map<Subject, Mishap> mishaps;
    for (const Action& action : attempted.actions) {  // a start stands behind what must come first
        if (action.verb == Verb::ResetFailed) {
            mishaps.emplace(action.subject,
                            Mishap{false, true, {}, FailureKind::UnitFailed, "the unit failed"});
        } else if (starts(action.verb)) {
            if (const auto found = mishaps.find(action.subject); found != mishaps.end())
                found->second.crashed = true;
        }
    }
    std::erase_if(mishaps, [](const auto& entry) { return !entry.second.crashed; });
    return mishaps;
}

}  // namespace

microseconds backoff_delay(const std::string& name, unsigned failures) {
    if (failures == 0) return microseconds{0};
    const unsigned doublings = std::min(failures - 1, 5U);
    const microseconds delay = std::min<microseconds>(first_delay * (1U << doublings), longest_delay);
    return delay / 10'000 * static_cast<std::int64_t>(9'000 + spread(name));
}

std::string asked_of(const TargetServer* target) {
    return target == nullptr ? "deleted" : fingerprint(*target->spec, target->digest());
}

std::string asked_of_overlay(const Target& target, const std::string& overlay) {
    const auto found = target.overlays.find(overlay);
    if (found != target.overlays.end() && found->second.build) return found->second.build->input;
    return found != target.overlays.end() && found->second.artifact ? *found->second.artifact : "";
}

bool backs_off(const Backoff& backoff, const std::string& asked, TimePoint now) {
    if (!backoff.retry_at || now >= *backoff.retry_at || backoff.asked != asked) return false;
    // Further away than any delay: the clock was set back, and nobody shall wait for it to catch up.
    return *backoff.retry_at - now <= longest_delay * 2;
}

std::map<Subject, Mishap> mishaps_of(const Plan& attempted, std::span<const Outcome> outcomes) {
    std::map<Subject, Mishap> mishaps = failed_units(attempted);
    for (const Outcome& outcome : outcomes) {
        const Action& action = attempted.actions[outcome.action];
        if (outcome.done || is_nobodys_fault(outcome.reason)) continue;
        mishaps[action.subject] = {starts(action.verb), false, action.verb, outcome.reason,
                                   fmt::format("{}: {}", to_string(action.verb), outcome.message)};
    }
    return mishaps;
}

Backoff next_backoff(const Backoff& previous, const std::string& name, const std::string& asked,
                     const Mishap* mishap, TimePoint now) {
    Backoff next = previous.asked == asked ? previous : Backoff{};
    if (next.failed_at && now - *next.failed_at >= forgotten_after) next = {};
    next.pending = previous.pending;  // the correction of a forgotten failure is no failure either
    if (mishap == nullptr) return next;
    const bool counted = mishap->found && previous.pending;
    next.pending = !mishap->found;
    if (counted) return next;
    ++next.failures;
    next.failed_at = now;
    next.retry_at = now + backoff_delay(name, next.failures);
    next.crashed = mishap->crashed;
    next.verb = mishap->verb;
    next.reason = mishap->reason;
    next.message = mishap->message;
    next.asked = asked;
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
    backoff.asked = any_input ? build.input : failure.input;
    return backoff;
}

std::string backoff_text(const Backoff& backoff) {
    return fmt::format("{}; the next try is at {}",
                       backoff.failures == 1 ? "failed" : fmt::format("failed {} times", backoff.failures),
                       clock_text(backoff.retry_at.value_or(TimePoint{})));
}

}  // namespace left4me
