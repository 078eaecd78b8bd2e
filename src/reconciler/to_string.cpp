#include <fmt/format.h>

#include "reconciler/observed.hpp"
#include "reconciler/plan.hpp"
#include "reconciler/status.hpp"

namespace left4me {

const char* to_string(ActiveState state) {
    switch (state) {
        case ActiveState::Inactive:
            return "inactive";
        case ActiveState::Activating:
            return "activating";
        case ActiveState::Active:
            return "active";
        case ActiveState::Deactivating:
            return "deactivating";
        case ActiveState::Failed:
            return "failed";
    }
    return "?";
}

const char* to_string(Enablement enablement) {
    switch (enablement) {
        case Enablement::Disabled:
            return "disabled";
        case Enablement::Enabled:
            return "enabled";
        case Enablement::Masked:
            return "masked";
    }
    return "?";
}

const char* to_string(Verb verb) {
    switch (verb) {
        case Verb::Tune:
            return "tune";
        case Verb::Build:
            return "build";
        case Verb::Cancel:
            return "cancel";
        case Verb::Refresh:
            return "refresh";
        case Verb::Render:
            return "render";
        case Verb::Revert:
            return "revert";
        case Verb::Disable:
            return "disable";
        case Verb::Stop:
            return "stop";
        case Verb::ResetFailed:
            return "reset-failed";
        case Verb::Enable:
            return "enable";
        case Verb::Start:
            return "start";
        case Verb::Restart:
            return "restart";
        case Verb::Attach:
            return "attach";
        case Verb::Purge:
            return "purge";
        case Verb::Unmanage:
            return "unmanage";
        case Verb::Prune:
            return "prune";
        case Verb::Warn:
            return "warn";
        case Verb::Command:
            return "command";
        case Verb::Set:
            return "set";
        case Verb::Hold:
            return "hold";
        case Verb::Report:
            return "report";
    }
    return "?";
}

std::optional<Verb> parse_verb(std::string_view text) {
    // Their names in the status files of earlier versions.
    if (text == "forget") return Verb::Unmanage;
    if (text == "collect") return Verb::Prune;
    for (int index = 0; index <= static_cast<int>(Verb::Report); ++index) {
        if (const auto verb = static_cast<Verb>(index); text == to_string(verb)) return verb;
    }
    return std::nullopt;
}

const char* to_string(ConditionStatus status) {
    switch (status) {
        case ConditionStatus::True:
            return "True";
        case ConditionStatus::False:
            return "False";
        case ConditionStatus::Unknown:
            return "Unknown";
    }
    return "?";
}

std::string unready_text(const Plan& plan) {
    std::string text;
    if (plan.starting_servers > 0)
        text += fmt::format("; {} {} only just started", plan.starting_servers,
                            plan.starting_servers == 1 ? "has" : "have");
    if (plan.crashing_servers > 0)
        text += fmt::format("; {} {} again and again", plan.crashing_servers,
                            plan.crashing_servers == 1 ? "crashes" : "crash");
    if (plan.silent_servers > 0)
        text +=
            fmt::format("; {} {} not respond", plan.silent_servers, plan.silent_servers == 1 ? "does" : "do");
    return text;
}

std::string to_string(const Subject& subject) {
    return fmt::format("{}/{}", to_string(subject.kind), subject.name);
}

}  // namespace left4me
