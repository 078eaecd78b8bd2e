#include "reconciler/reason.hpp"

namespace left4me {
namespace {

// A successful outcome has no reason.
static_assert(FailureKind{} == FailureKind::Unknown);

/// The enumerator with this text; `last` is the last one of the enum.
template <typename Enum>
std::optional<Enum> parse(std::string_view text, Enum last) {
    for (int index = 0; index <= static_cast<int>(last); ++index) {
        if (const auto value = static_cast<Enum>(index); text == to_string(value)) return value;
    }
    return std::nullopt;
}

}  // namespace

const char* to_string(HoldReason value) {
    switch (value) {
        case HoldReason::RolloutPending:
            return "RolloutPending";
        case HoldReason::CanaryPending:
            return "CanaryPending";
        case HoldReason::ApprovalRequired:
            return "ApprovalRequired";
        case HoldReason::NotInstalled:
            return "NotInstalled";
        case HoldReason::PortInUse:
            return "PortInUse";
        case HoldReason::SourceUnavailable:
            return "SourceUnavailable";
        case HoldReason::ReadingSource:
            return "ReadingSource";
        case HoldReason::Building:
            return "Building";
        case HoldReason::BuildCanceled:
            return "BuildCanceled";
        case HoldReason::BackOff:
            return "BackOff";
        case HoldReason::RefreshFailed:
            return "RefreshFailed";
        case HoldReason::CpusUnusable:
            return "CpusUnusable";
        case HoldReason::StartPending:
            return "StartPending";
        case HoldReason::Suspended:
            return "Suspended";
        case HoldReason::RolledBack:
            return "RolledBack";
        case HoldReason::Drift:
            return "Drift";
        case HoldReason::Orphan:
            return "Orphan";
        case HoldReason::RestartPending:
            return "RestartPending";
        case HoldReason::Scheduled:
            return "Scheduled";
        case HoldReason::ResetPending:
            return "ResetPending";
        case HoldReason::Shadowed:
            return "Shadowed";
        case HoldReason::CvarsRefused:
            return "CvarsRefused";
    }
    return "?";
}

const char* to_string(FailureKind value) {
    switch (value) {
        case FailureKind::PrerequisiteFailed:
            return "PrerequisiteFailed";
        case FailureKind::SourceChanged:
            return "SourceChanged";
        case FailureKind::InUse:
            return "InUse";
        case FailureKind::Occupied:
            return "Occupied";
        case FailureKind::NotSaid:
            return "NotSaid";
        case FailureKind::Canceled:
            return "Canceled";
        case FailureKind::Disconnected:
            return "Disconnected";
        case FailureKind::NoAnswer:
            return "NoAnswer";
        case FailureKind::NoReply:
            return "NoReply";
        case FailureKind::AccessDenied:
            return "AccessDenied";
        case FailureKind::BusError:
            return "BusError";
        case FailureKind::HelperFailed:
            return "HelperFailed";
        case FailureKind::HelperMissing:
            return "HelperMissing";
        case FailureKind::Refused:
            return "Refused";
        case FailureKind::IOError:
            return "IOError";
        case FailureKind::NoSpace:
            return "NoSpace";
        case FailureKind::UnitFailed:
            return "UnitFailed";
        case FailureKind::NotResponding:
            return "NotResponding";
        case FailureKind::JobFailed:
            return "JobFailed";
        case FailureKind::JobTimeout:
            return "JobTimeout";
        case FailureKind::JobLost:
            return "JobLost";
        case FailureKind::DependencyFailed:
            return "DependencyFailed";
        case FailureKind::Skipped:
            return "Skipped";
        case FailureKind::Collected:
            return "Collected";
        case FailureKind::InvalidJob:
            return "InvalidJob";
        case FailureKind::AssertFailed:
            return "AssertFailed";
        case FailureKind::Unsupported:
            return "Unsupported";
        case FailureKind::StartLimitHit:
            return "StartLimitHit";
        case FailureKind::ExitCode:
            return "ExitCode";
        case FailureKind::Signal:
            return "Signal";
        case FailureKind::CoreDump:
            return "CoreDump";
        case FailureKind::Timeout:
            return "Timeout";
        case FailureKind::Watchdog:
            return "Watchdog";
        case FailureKind::OutOfMemory:
            return "OutOfMemory";
        case FailureKind::Resources:
            return "Resources";
        case FailureKind::Protocol:
            return "Protocol";
        case FailureKind::ConditionFailed:
            return "ConditionFailed";
        case FailureKind::AttachFailed:
            return "AttachFailed";
        case FailureKind::UnmountFailed:
            return "UnmountFailed";
        case FailureKind::InvalidName:
            return "InvalidName";
        case FailureKind::NotForUnits:
            return "NotForUnits";
        case FailureKind::Unknown:
            return "Unknown";
    }
    return "?";
}

const char* to_string(StateReason value) {
    switch (value) {
        case StateReason::Running:
            return "Running";
        case StateReason::Stopped:
            return "Stopped";
        case StateReason::NotStopped:
            return "NotStopped";
        case StateReason::Removing:
            return "Removing";
        case StateReason::NotMounted:
            return "NotMounted";
        case StateReason::NotEnabled:
            return "NotEnabled";
        case StateReason::Starting:
            return "Starting";
        case StateReason::JustStarted:
            return "JustStarted";
        case StateReason::Stopping:
            return "Stopping";
        case StateReason::UnitFailed:
            return "UnitFailed";
        case StateReason::NotRunning:
            return "NotRunning";
        case StateReason::NotResponding:
            return "NotResponding";
        case StateReason::Progressing:
            return "Progressing";
        case StateReason::Settled:
            return "Settled";
        case StateReason::CrashLoop:
            return "CrashLoop";
        case StateReason::NotStalled:
            return "NotStalled";
    }
    return "?";
}

const char* to_string(SourceErrorKind value) {
    switch (value) {
        case SourceErrorKind::None:
            return "None";
        case SourceErrorKind::Invalid:
            return "Invalid";
        case SourceErrorKind::Vanished:
            return "Vanished";
        case SourceErrorKind::Held:
            return "Held";
    }
    return "?";
}

const char* to_string(const ConditionReason& reason) {
    return std::visit([](auto value) { return to_string(value); }, reason);
}

FailureOrigin origin_of(FailureKind reason) {
    switch (reason) {
        case FailureKind::Disconnected:
        case FailureKind::NoReply:
        case FailureKind::AccessDenied:
        case FailureKind::BusError:
        case FailureKind::HelperFailed:
        case FailureKind::HelperMissing:
            return FailureOrigin::Request;
        case FailureKind::Refused:
            return FailureOrigin::Refusal;
        case FailureKind::PrerequisiteFailed:
        case FailureKind::SourceChanged:
        case FailureKind::InUse:
        case FailureKind::Occupied:
        case FailureKind::NotSaid:
        case FailureKind::Canceled:
        case FailureKind::NoAnswer:
            return FailureOrigin::Elsewhere;
        case FailureKind::IOError:
        case FailureKind::NoSpace:
        case FailureKind::UnitFailed:
        case FailureKind::NotResponding:
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
            return FailureOrigin::Unit;
    }
    return FailureOrigin::Unit;
}

bool is_helper_trouble(FailureKind reason) {
    const FailureOrigin origin = origin_of(reason);
    return origin == FailureOrigin::Request || origin == FailureOrigin::Refusal;
}

std::optional<FailureKind> parse_failure(std::string_view text) {
    return parse(text, FailureKind::NotForUnits);
}

std::optional<HoldReason> parse_hold(std::string_view text) { return parse(text, HoldReason::CvarsRefused); }

std::optional<SourceErrorKind> parse_trouble(std::string_view text) {
    return parse(text, SourceErrorKind::Held);
}

ConditionReason parse_condition_reason(std::string_view text) {
    if (const auto state = parse(text, StateReason::NotStalled)) return *state;
    if (const auto hold = parse_hold(text)) return *hold;
    return parse_failure(text).value_or(FailureKind::Unknown);
}

}  // namespace left4me
