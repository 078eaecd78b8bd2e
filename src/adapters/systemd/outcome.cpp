#include "adapters/systemd/outcome.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>

#include "adapters/systemd/unit_names.hpp"

namespace left4me {
namespace {

struct Meaning {
    std::string_view word;
    FailureKind reason;
    const char* message;
};

constexpr std::array job_results{
    Meaning{"timeout", FailureKind::JobTimeout, "systemd cancelled the job: it took too long"},
    Meaning{"canceled", FailureKind::Canceled, "another request replaced the job"},
    Meaning{"dependency", FailureKind::DependencyFailed, "a unit that this one needs did not start"},
    Meaning{"skipped", FailureKind::Skipped,
            "systemd did not start the unit: one of its conditions is not met"},
    Meaning{"collected", FailureKind::Collected, "systemd unloaded the unit before the job ran"},
    Meaning{"invalid", FailureKind::InvalidJob, "systemd cannot do this to the unit"},
    Meaning{"assert", FailureKind::AssertFailed, "an assertion of the unit does not hold"},
    Meaning{"unsupported", FailureKind::Unsupported, "this host cannot do that"},
    Meaning{"failed", FailureKind::JobFailed, "systemd does not say why"},
};

constexpr std::array unit_results{
    Meaning{"start-limit-hit", FailureKind::StartLimitHit,
            "it failed too often in a short time; systemd does not restart it any more"},
    Meaning{"exit-code", FailureKind::ExitCode, "one of its processes ended with an error"},
    Meaning{"signal", FailureKind::Signal, "one of its processes was killed by a signal"},
    Meaning{"core-dump", FailureKind::CoreDump, "one of its processes crashed"},
    Meaning{"timeout", FailureKind::Timeout, "it did not start or stop in time"},
    Meaning{"watchdog", FailureKind::Watchdog, "it stopped answering the watchdog"},
    Meaning{"oom-kill", FailureKind::OutOfMemory, "the kernel killed it because memory ran out"},
    Meaning{"resources", FailureKind::Resources, "systemd could not set up what it needs"},
    Meaning{"protocol", FailureKind::Protocol, "it did not start as its unit specifies"},
    Meaning{"exec-condition", FailureKind::ConditionFailed, "a condition of the unit is not met"},
};

template <std::size_t n>
const Meaning* find(const std::array<Meaning, n>& meanings, std::string_view word) {
    for (const Meaning& meaning : meanings)
        if (meaning.word == word) return &meaning;
    return nullptr;
}

}  // namespace

FailureKind reason_of_result(std::string_view result) {
    const Meaning* meaning = find(unit_results, result);
    return meaning != nullptr ? meaning->reason : FailureKind::Unknown;
}

UnitOutcome job_outcome(const std::string& server, std::string_view job_result) {
    if (job_result == "done") return {.server = server, .done = true, .reason = {}, .message = {}};
    const Meaning* meaning = find(job_results, job_result);
    if (meaning != nullptr)
        return {.server = server, .done = false, .reason = meaning->reason, .message = meaning->message};
    return {.server = server,
            .done = false,
            .reason = FailureKind::Unknown,
            .message = fmt::format("the job ended as \"{}\"", job_result)};
}

UnitOutcome failed_outcome(const std::string& server, const std::string& result, const std::string& detail) {
    const Meaning* meaning = find(unit_results, result);
    std::string message = meaning != nullptr ? meaning->message : fmt::format("systemd says \"{}\"", result);
    if (!detail.empty()) message += " (" + detail + ")";
    message += fmt::format("; see journalctl -u {}", server_unit(server));
    return {
        .server = server, .done = false, .reason = reason_of_result(result), .message = std::move(message)};
}

UnitOutcome refused_outcome(const std::string& server, const BusError& error) {
    const auto because = [&](FailureKind reason, std::string message) {
        return UnitOutcome{.server = server, .done = false, .reason = reason, .message = std::move(message)};
    };
    const std::string_view name = error.name;
    if (name == "org.freedesktop.DBus.Error.AccessDenied") {
        return because(FailureKind::AccessDenied,
                       fmt::format("left4me-helper refuses uid {}: run as root or as user "
                                   "left4me; if you already do, reload the bus policy: systemctl reload dbus",
                                   getuid()));
    }
    if (name == "org.freedesktop.DBus.Error.ServiceUnknown" ||
        name == "org.freedesktop.DBus.Error.NameHasNoOwner") {
        return because(
            FailureKind::HelperMissing,
            "there is no left4me-helper on the system bus: install left4me, then systemctl reload dbus");
    }
    if (name == "org.freedesktop.DBus.Error.NoReply" || name == "org.freedesktop.DBus.Error.Timeout" ||
        name == "org.freedesktop.DBus.Error.TimedOut") {
        return because(FailureKind::NoReply,
                       "left4me-helper exited or did not answer in time; see journalctl -u left4me-helper");
    }
    if (name.starts_with("org.freedesktop.DBus.Error.Spawn.") ||
        name.starts_with("org.freedesktop.systemd1.")) {
        return because(
            FailureKind::HelperFailed,
            fmt::format("left4me-helper could not be started: {}; see journalctl -u left4me-helper",
                        error.message));
    }
    if (name == disconnected_error) {
        return because(FailureKind::Disconnected,
                       fmt::format("the connection to the system bus was lost ({}); the request may have "
                                   "been carried out anyway; the next pass will see",
                                   error.message));
    }
    return because(FailureKind::BusError, fmt::format("{} ({})", error.message, error.name));
}

}  // namespace left4me
