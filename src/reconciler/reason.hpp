#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace left4me {

/// Why a difference waits (Hold) or is only reported (Report).
enum class HoldReason {
    RolloutPending,
    CanaryPending,  ///< another server of the Blueprint gets the change first
    ApprovalRequired,
    NotInstalled,
    PortInUse,
    SourceUnavailable,
    ReadingSource,  ///< for the first time; what it holds is not known yet
    Building,
    BuildCanceled,  ///< by a person
    BackOff,
    RefreshFailed,  ///< the pin of an overlay could not be moved forward; it stays as it is
    CpusUnusable,   ///< the host has other processors than the Host says, or siblings would be parted
    StartPending,   ///< other servers come up first: startParallel
    Suspended,
    RolledBack,  ///< a person keeps the overlay at an earlier artifact
    Drift,
    Orphan,
    RestartPending,  ///< a restart that a person asked for
    Scheduled,       ///< what the schedule of its Blueprint asks for
    ResetPending,    ///< a reset that a person asked for
    Shadowed,        ///< the game changed files that it may not keep
    CvarsRefused,    ///< the game does not know a cvar, or does not keep its value
};

/// How an action failed.
enum class FailureKind {
    Unknown,             ///< a word of a later systemd (quoted in the message), or no failure
    PrerequisiteFailed,  ///< never begun, because something else failed first
    SourceChanged,       ///< while a build copied it
    InUse,               ///< it is in use again
    Occupied,            ///< it was to be done while nobody plays, and the game did not say so once more
    NotSaid,             ///< the game's console did not take it
    Canceled,            ///< another request replaced its job
    Disconnected,        ///< from the bus
    NoAnswer,            ///< the host never reported how it ended
    NoReply,             ///< from the helper
    AccessDenied,        ///< by the helper
    BusError,
    HelperFailed,  ///< it could not be started
    HelperMissing,
    Refused,  ///< by the helper, or by systemd
    IOError,
    NoSpace,
    UnitFailed,     ///< found failed by a pass
    NotResponding,  ///< the game hung, and was restarted for it
    JobFailed,      ///< systemd does not say why
    JobTimeout,
    JobLost,
    DependencyFailed,
    Skipped,
    Collected,
    InvalidJob,
    AssertFailed,
    Unsupported,
    StartLimitHit,
    ExitCode,
    Signal,
    CoreDump,
    Timeout,
    Watchdog,
    OutOfMemory,
    Resources,
    Protocol,
    ConditionFailed,
    AttachFailed,
    UnmountFailed,
    InvalidName,
    NotForUnits,
};

/// Other reasons of a condition.
enum class StateReason {
    Running,
    Stopped,
    NotStopped,
    Removing,
    NotMounted,
    NotEnabled,
    Starting,
    JustStarted,  ///< active, but not for long enough to be Ready
    Stopping,
    UnitFailed,
    NotRunning,
    NotResponding,  ///< active, but the game does not answer
    Progressing,
    Settled,
    CrashLoop,
    NotStalled,
};

/// Why the source's newest revision cannot be used.
enum class SourceErrorKind {
    None,
    Invalid,   ///< it was read, but its content is invalid
    Vanished,  ///< it could not be read, or contains no manifest
    Held,      ///< left4me may not follow it: a rewind, or without a required signature
};

/// The reason of a condition.
using ConditionReason = std::variant<StateReason, HoldReason, FailureKind>;

/// The CamelCase words of JSON, events and metrics.
const char* to_string(HoldReason value);
const char* to_string(FailureKind value);

/// Where a failure happened.
enum class FailureOrigin {
    Unit,       ///< in the unit, or in files of its own
    Request,    ///< the request did not reach the unit: the bus or left4me-helper is in trouble
    Refusal,    ///< left4me-helper refused the request
    Elsewhere,  ///< something else failed first, was faster, or was still being written
};
FailureOrigin origin_of(FailureKind reason);
/// The unit's own log shows nothing of it.
bool is_helper_trouble(FailureKind reason);

const char* to_string(StateReason value);
const char* to_string(SourceErrorKind value);
const char* to_string(const ConditionReason& reason);

/// The inverse, for files that another version may have written.
std::optional<FailureKind> parse_failure(std::string_view text);
std::optional<HoldReason> parse_hold(std::string_view text);
std::optional<SourceErrorKind> parse_trouble(std::string_view text);
/// An unknown word is read as FailureKind::Unknown.
ConditionReason parse_condition_reason(std::string_view text);

/// An error: a kind for decisions, and a message.
struct Error {
    FailureKind kind = FailureKind::Unknown;
    std::string message;

    bool operator==(const Error&) const = default;
};

}  // namespace left4me
