#include "adapters/systemd/outcome.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cctype>

#include "adapters/systemd/unit_names.hpp"

namespace left4me {
namespace {

struct Meaning {
    std::string_view word;
    const char* reason;
    const char* message;
};

constexpr std::array job_results{
    Meaning{"timeout", "JobTimeout", "systemd gave the job up: it took too long"},
    Meaning{"canceled", "Canceled", "another request took the job's place"},
    Meaning{"dependency", "DependencyFailed", "a unit that this one needs did not start"},
    Meaning{"skipped", "Skipped", "systemd did not start the unit: a condition of it is not met"},
    Meaning{"collected", "Collected", "systemd forgot the unit before the job was carried out"},
    Meaning{"invalid", "InvalidJob", "systemd cannot do this to the unit"},
    Meaning{"assert", "AssertFailed", "an assertion of the unit does not hold"},
    Meaning{"unsupported", "Unsupported", "this host cannot do that"},
    Meaning{"failed", "JobFailed", "systemd does not say why"},
};

constexpr std::array unit_results{
    Meaning{"start-limit-hit", "StartLimitHit",
            "it failed too often in a short time, systemd has given it up"},
    Meaning{"exit-code", "ExitCode", "a process of it ended with an error"},
    Meaning{"signal", "Signal", "a process of it was killed by a signal"},
    Meaning{"core-dump", "CoreDump", "a process of it crashed"},
    Meaning{"timeout", "Timeout", "it did not start or stop in time"},
    Meaning{"watchdog", "Watchdog", "it stopped to answer the watchdog"},
    Meaning{"oom-kill", "OutOfMemory", "the kernel killed it for want of memory"},
    Meaning{"resources", "Resources", "systemd could not set up what it needs"},
    Meaning{"protocol", "Protocol", "it did not start the way its unit announces"},
    Meaning{"exec-condition", "ConditionFailed", "a condition of the unit is not met"},
};

template <std::size_t n>
const Meaning* find(const std::array<Meaning, n>& meanings, std::string_view word) {
    for (const Meaning& meaning : meanings)
        if (meaning.word == word) return &meaning;
    return nullptr;
}

/// "start-limit-hit" → "StartLimitHit", for words that a later systemd adds.
std::string camel_case(std::string_view words) {
    std::string text;
    bool upper = true;
    for (const char c : words) {
        if (c == '-') {
            upper = true;
            continue;
        }
        text += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
        upper = false;
    }
    return text.empty() ? "Failed" : text;
}

}  // namespace

std::string reason_of_result(std::string_view result) {
    const Meaning* meaning = find(unit_results, result);
    return meaning != nullptr ? meaning->reason : camel_case(result);
}

UnitOutcome job_outcome(const std::string& server, std::string_view job_result) {
    if (job_result == "done") return {.server = server, .done = true, .reason = {}, .message = {}};
    const Meaning* meaning = find(job_results, job_result);
    if (meaning != nullptr)
        return {.server = server, .done = false, .reason = meaning->reason, .message = meaning->message};
    return {.server = server,
            .done = false,
            .reason = camel_case(job_result),
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
    const auto because = [&](const char* reason, std::string message) {
        return UnitOutcome{.server = server, .done = false, .reason = reason, .message = std::move(message)};
    };
    const std::string_view name = error.name;
    if (name == "org.freedesktop.DBus.Error.AccessDenied") {
        return because("AccessDenied",
                       fmt::format("left4me-helper does not listen to uid {}: run as root or as user "
                                   "left4me; if you do, reload the bus policy: systemctl reload dbus",
                                   getuid()));
    }
    if (name == "org.freedesktop.DBus.Error.ServiceUnknown" ||
        name == "org.freedesktop.DBus.Error.NameHasNoOwner") {
        return because("HelperMissing",
                       "the system bus knows no left4me-helper: install left4me, then systemctl reload dbus");
    }
    if (name == "org.freedesktop.DBus.Error.NoReply" || name == "org.freedesktop.DBus.Error.Timeout" ||
        name == "org.freedesktop.DBus.Error.TimedOut") {
        return because(
            "NoReply",
            "left4me-helper went away or did not answer in time; see journalctl -u left4me-helper");
    }
    if (name.starts_with("org.freedesktop.DBus.Error.Spawn.") ||
        name.starts_with("org.freedesktop.systemd1.")) {
        return because(
            "HelperFailed",
            fmt::format("left4me-helper could not be started: {}; see journalctl -u left4me-helper",
                        error.message));
    }
    if (name == disconnected_error) {
        return because("Disconnected",
                       fmt::format("the connection to the system bus was lost ({}); what was asked for may "
                                   "have been done all the same, the next pass will see",
                                   error.message));
    }
    return because("BusError", fmt::format("{} ({})", error.message, error.name));
}

}  // namespace left4me
