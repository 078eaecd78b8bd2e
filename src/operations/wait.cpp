#include "operations/wait.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "operations/follow.hpp"
#include "operations/server_view.hpp"
#include "specs/grammars/duration.hpp"

namespace left4me::operations {

namespace {

using std::chrono::milliseconds;

/// Not every change of the host is recorded in a state file: without a daemon, somebody has to observe it.
constexpr milliseconds first_look_again{50};
constexpr milliseconds last_look_again{1000};

/// Servers that are not ready yet, and why.
struct Late {
    std::string coming;  ///< may still become ready
    std::string held;    ///< will not without a person
};

bool takes_a_person(HoldReason reason) {
    switch (reason) {
        case HoldReason::ApprovalRequired:
        case HoldReason::Suspended:
        case HoldReason::NotInstalled:
        case HoldReason::SourceUnavailable:
        case HoldReason::BuildCanceled:
        case HoldReason::RolledBack:
        case HoldReason::Drift:
        case HoldReason::CpusUnusable:
            return true;
        case HoldReason::RolloutPending:
        case HoldReason::CanaryPending:
        case HoldReason::PortInUse:
        case HoldReason::Building:
        case HoldReason::ReadingSource:
        case HoldReason::BackOff:
        case HoldReason::StartPending:
        case HoldReason::RefreshFailed:
        case HoldReason::RestartPending:
        case HoldReason::Scheduled:
        case HoldReason::ResetPending:
        case HoldReason::Orphan:
        case HoldReason::Shadowed:
        case HoldReason::CvarsRefused:
            return false;
    }
    return false;
}

/// Why the server does not become ready by itself, or nullptr.
const Action* hold_for_a_person(const View& view, const std::string& name) {
    const std::vector<const Action*> actions = actions_of(view, name);
    const bool acts = std::any_of(actions.begin(), actions.end(),
                                  [](const Action* action) { return is_effect(action->verb); });
    const auto held = std::find_if(actions.begin(), actions.end(), [](const Action* action) {
        return action->code && takes_a_person(*action->code);
    });
    return acts || held == actions.end() ? nullptr : *held;
}

Late late_servers(const View& view, const std::vector<std::string>& names) {
    Late late;
    for (const std::string& name : names) {
        const Condition* const ready = ready_condition(view, name);
        if (ready != nullptr && ready->status == ConditionStatus::True) continue;
        if (const Action* const hold = hold_for_a_person(view, name)) {
            late.held += fmt::format("server/{}: {}\n", name, hold->reason);
        } else {
            late.coming += fmt::format("server/{}: {}\n", name, why_text(view, name));
        }
    }
    return late;
}

}  // namespace

Result<milliseconds> parse_timeout(const std::string& text) {
    const auto duration = parse_duration(text);
    if (!duration)
        return fail(ErrorKind::InvalidArgument,
                    "\"" + text + "\" is not a duration; write 90s, 30m, 12h or 2d");
    return *duration;
}

/// Servers that should run in this revision, in their order.
std::vector<std::string> wanted_running(const Desired& desired) {
    std::vector<std::string> names;
    for (const auto& [name, server] : desired.servers) {
        if (server.state == RunState::Running) names.push_back(name);
    }
    return names;
}

Result<void> wait_until_ready(Context& context, const std::vector<std::string>& names, milliseconds timeout) {
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    StateWatch watch(context.paths);
    for (milliseconds pause = first_look_again;; pause = std::min(2 * pause, last_look_again)) {
        const auto view = observe(context);
        if (!view) return std::unexpected(view.error());
        const Late late = late_servers(*view, names);
        if (late.coming.empty() && late.held.empty()) return {};
        if (late.coming.empty())
            return fail(ErrorKind::TimedOut, late.held + "not waited for: this needs a person");
        const auto left =
            std::chrono::duration_cast<milliseconds>(deadline - std::chrono::steady_clock::now());
        if (left <= milliseconds::zero()) {
            return fail(ErrorKind::TimedOut, late.held + late.coming + "timed out: not ready within " +
                                                 fmt::format("{} s", timeout.count() / 1000));
        }
        watch.wait(std::min(pause, left));
    }
}

}  // namespace left4me::operations
