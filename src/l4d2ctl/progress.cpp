#include "l4d2ctl/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "operations/build_view.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

/// The command that shows more, or nothing.
std::string remedy(const Action& action, const Outcome& outcome) {
    const std::string& name = action.subject.name;
    if (outcome.reason == FailureKind::PrerequisiteFailed) return {};
    if (is_helper_trouble(outcome.reason)) return "journalctl -u left4me-helper";
    if (has_artifacts(action.subject.kind))
        return fmt::format("l4d2ctl describe {} {}", to_string(action.subject.kind), name);
    if (action.verb == Verb::Render) return "l4d2ctl describe server " + name;
    return "l4d2ctl logs " + name;
}

std::string seconds(std::chrono::milliseconds took) {
    const double value = std::chrono::duration<double>(took).count();
    return value < 0.1 ? fmt::format("{:.0f} ms", value * 1000) : fmt::format("{:.1f} s", value);
}

/// The last line: how the host stands to the manifests now.
std::string standing_text(const Plan& remaining) {
    if (remaining.differing_servers > 0) return count_text(remaining);
    const std::size_t count = remaining.agreeing_servers;
    return (count == 1 ? "1 server agrees" : fmt::format("{} servers agree", count)) +
           unready_text(remaining);
}

/// What is of concern in a plan.
Plan part_of(const Plan& plan, const operations::Concern& concern) {
    Plan part;
    for (const Action& action : plan.actions) {
        if (operations::concerns(concern, action.subject)) part.actions.push_back(action);
    }
    return part;
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

void Progress::tell(const StepReport& report) {
    if (report.seen && !report.revision.empty() && report.source_error != told_trouble_) {
        told_trouble_ = report.source_error;
        report_source_error(report);
    }
    if (!columns_) columns_ = PlanColumns(part_of(report.difference, concern_));
    if (session_.err.person) tell_waits(report);
    std::vector<Outcome> failures;
    for (const Outcome& outcome : report.ended.outcomes) {
        const Action& action = report.ended.plan.actions[outcome.action];
        if (!operations::concerns(concern_, action.subject)) continue;
        quiet_ = false;
        if (outcome.reason == FailureKind::Occupied) continue;  // it waits: tell_rest()
        failed_ = failed_ || !outcome.done;
        if (outcome.done) {
            tell(action, outcome);
        } else if (outcome.reason == FailureKind::PrerequisiteFailed) {
            append(never_begun_,
                   CompletedActions{
                       {{}, {action}},
                       {Outcome{.action = 0, .reason = outcome.reason, .message = outcome.message}}});
        } else {
            failures.push_back(outcome);
        }
    }
    if (!failures.empty()) print_error(failures_text(report.ended.plan, failures, session_.err));
    tell_builds();
    (void)std::fflush(stdout);
}

void Progress::tell_waits(const StepReport& report) {
    std::vector<std::string> waits;
    bool any_new = false;
    const auto wait = [&](const Action& action, std::string_view until) {
        waits.push_back(fmt::format("{} {}", to_string(action.subject), until));
        any_new = told_waits_.insert(action.subject).second || any_new;
    };
    building_.clear();
    for (const Action& action : report.difference.actions) {
        if (action.code != HoldReason::Building || !has_artifacts(action.subject.kind) || !concern_.empty())
            continue;
        building_.push_back(action.subject);
        wait(action, "is built");
    }
    for (const Action& action : report.under_way) {
        if (action.verb == Verb::Stop && operations::concerns(concern_, action.subject))
            wait(action, "has stopped");
    }
    if (any_new) print_error(fmt::format("waiting until {}; Ctrl-C cancels nothing", fmt::join(waits, ", ")));
}

void Progress::tell_builds() {
    for (const Subject& build : building_) {
        const auto progress = operations::progress_of_build(session_.paths, build.name);
        if (!progress) continue;
        const std::string step = fmt::format("{} {}", to_string(progress->phase), percent(*progress) / 10);
        if (std::exchange(told_builds_[build], step) == step) continue;
        print_error(fmt::format("{}: {}", to_string(build), operations::progress_word(*progress)));
    }
}

void Progress::tell(const Action& action, const Outcome& outcome) const {
    std::string line = action_line(action, *columns_, session_.out);
    if (session_.out.person) {
        line = session_.out.paint(Paint::Green, "✓ ") + line +
               session_.out.paint(Paint::Dim, "   " + seconds(outcome.took));
    }
    print(line + "\n");
}

void Progress::tell_rest(const StepReport& last) const {
    if (!never_begun_.outcomes.empty())
        print_error(failures_text(never_begun_.plan, never_begun_.outcomes, session_.err));
    const Plan rest = part_of(last.difference, concern_);
    bool waits = false;
    for (const Action& action : rest.actions) {
        if (is_effect(action.verb)) continue;
        waits = true;
        print((session_.out.person ? "· " : "") +
              action_line(action, columns_.value_or(PlanColumns(rest)), session_.out) + "\n");
    }
    if (session_.out.person || (quiet_ && !waits))
        print(session_.out.paint(Paint::Bold, standing_text(last.difference)) + "\n");
}

}  // namespace left4me::ctl
