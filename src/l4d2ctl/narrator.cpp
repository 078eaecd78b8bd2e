#include "l4d2ctl/narrator.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "specs/words.hpp"

namespace left4me::ctl {

namespace {

/// Whether the way to the unit failed, and not the unit: its own log would tell nothing.
bool is_helper_trouble(FailureKind reason) {
    switch (reason) {
        case FailureKind::Disconnected:
        case FailureKind::NoReply:
        case FailureKind::AccessDenied:
        case FailureKind::BusError:
        case FailureKind::HelperFailed:
        case FailureKind::HelperMissing:
        case FailureKind::Refused:
            return true;
        case FailureKind::PrerequisiteFailed:
        case FailureKind::SourceChanged:
        case FailureKind::InUse:
        case FailureKind::Canceled:
        case FailureKind::NoAnswer:
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

/// The command that tells more, or nothing.
std::string remedy(const Action& action, const Outcome& outcome) {
    const std::string& name = action.subject.name;
    if (outcome.reason == FailureKind::PrerequisiteFailed) return {};
    if (is_helper_trouble(outcome.reason)) return "journalctl -u left4me-helper";
    if (action.subject.kind == Kind::Overlay) return "l4d2ctl describe overlay " + name;
    if (action.verb == Verb::Render) return "l4d2ctl describe server " + name;
    return "l4d2ctl logs " + name;
}

std::string seconds(std::chrono::steady_clock::duration took) {
    const double value = std::chrono::duration<double>(took).count();
    return value < 0.1 ? fmt::format("{:.0f} ms", value * 1000) : fmt::format("{:.1f} s", value);
}

}  // namespace

std::string failure_text(const Action& action, const Outcome& outcome, const Terminal& err,
                         std::size_t others) {
    const std::string reason = fmt::format(" ({})", to_string(outcome.reason));
    const std::string more = others == 0   ? ""
                             : others == 1 ? " and 1 other"
                                           : fmt::format(" and {} others", others);
    std::string text = err.paint(Paint::Red, err.person ? "✗ " : "") +
                       fmt::format("{}{}: {} failed{}: {}\n", to_string(action.subject), more,
                                   to_string(action.verb), reason, printable(outcome.message));
    if (const std::string next = remedy(action, outcome); !next.empty()) text += "  → " + next + "\n";
    return text;
}

std::string failures_text(const Plan& plan, std::span<const Outcome> outcomes, const Terminal& err) {
    struct Group {
        const Outcome* first;
        std::size_t others = 0;
    };
    std::vector<Group> groups;
    for (const Outcome& outcome : outcomes) {
        if (outcome.done) continue;
        const auto same = std::find_if(groups.begin(), groups.end(), [&](const Group& group) {
            return group.first->message == outcome.message && group.first->reason == outcome.reason &&
                   plan.actions[group.first->action].verb == plan.actions[outcome.action].verb;
        });
        if (same == groups.end()) {
            groups.push_back({&outcome});
        } else {
            ++same->others;
        }
    }
    std::string text;
    for (const Group& group : groups) {
        text += failure_text(plan.actions[group.first->action], *group.first, err, group.others);
    }
    return text;
}

void Narrator::begin(const Plan& plan, std::span<const ActionIndex> actions) {
    if (begun_.empty()) columns_ = PlanColumns(plan);
    const auto now = Clock::now();
    for (const ActionIndex action : actions) begun_[{&plan, action}] = now;
    host_.begin(plan, actions);
}

void Narrator::wait_for_builds(const std::map<std::string, ObservedBuild>& builds) {
    if (err_.person) {
        std::string names;
        for (const auto& [name, build] : builds) names += (names.empty() ? "overlay/" : ", overlay/") + name;
        print_error("waiting for the build of " + names + "; Ctrl-C leaves it running");
    }
    host_.wait_for_builds(builds);
}

std::vector<Outcome> Narrator::told(std::vector<Outcome> outcomes) {
    if (outcomes.empty()) return outcomes;
    const auto now = Clock::now();
    const Plan& plan = *outcomes.front().plan;
    for (const Outcome& outcome : outcomes) {
        const auto begun = begun_.extract({outcome.plan, outcome.action});
        if (outcome.done) tell(outcome.plan->actions[outcome.action], now - begun.mapped());
    }
    if (const std::string failures = failures_text(plan, outcomes, err_); !failures.empty())
        print_error(failures);
    (void)std::fflush(stdout);
    return outcomes;
}

void Narrator::tell(const Action& action, Clock::duration took) const {
    std::string line = action_line(action, columns_, out_);
    if (out_.person) {
        line = out_.paint(Paint::Green, "✓ ") + line + out_.paint(Paint::Dim, "   " + seconds(took));
    }
    print(line + "\n");
}

operations::HostWrapper narrated(const Session& session) {
    return [&session](Host& host) { return std::make_unique<Narrator>(host, session.out, session.err); };
}

}  // namespace left4me::ctl
