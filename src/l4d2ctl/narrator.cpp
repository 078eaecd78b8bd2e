#include "l4d2ctl/narrator.hpp"

#include <fmt/format.h>

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

namespace {

std::string remedy(const Action& action, const Outcome& outcome) {
    const std::string& name = action.subject.name;
    if (outcome.reason == "PrerequisiteFailed") return {};
    if (outcome.reason == "AccessDenied")
        return "is l4d2ctl run as root or left4me, and is the helper installed?";
    if (action.subject.kind == SubjectKind::Overlay) return "l4d2ctl describe overlay " + name;
    if (action.verb == Verb::Render) return "l4d2ctl describe server " + name;
    return "l4d2ctl logs " + name;
}

std::string seconds(std::chrono::steady_clock::duration took) {
    const double value = std::chrono::duration<double>(took).count();
    return value < 0.1 ? fmt::format("{:.0f} ms", value * 1000) : fmt::format("{:.1f} s", value);
}

}  // namespace

std::string failure_text(const Action& action, const Outcome& outcome, const Terminal& err) {
    const std::string reason = outcome.reason.empty() ? "" : " (" + outcome.reason + ")";
    std::string text = err.paint(Paint::Red, err.person ? "✗ " : "") +
                       fmt::format("{}: {} failed{}: {}\n", to_string(action.subject), to_string(action.verb),
                                   reason, printable(outcome.message));
    if (const std::string next = remedy(action, outcome); !next.empty()) text += "  → " + next + "\n";
    return text;
}

void Narrator::begin(const Desired& desired, const Plan& plan, std::span<const ActionIndex> actions) {
    if (plan_ != &plan) {
        plan_ = &plan;
        columns_ = PlanColumns(plan);
    }
    const auto now = Clock::now();
    for (const ActionIndex action : actions) begun_[action] = now;
    host_.begin(desired, plan, actions);
}

std::vector<Outcome> Narrator::wait() {
    std::vector<Outcome> outcomes = host_.wait();
    const auto now = Clock::now();
    for (const Outcome& outcome : outcomes) {
        tell(plan_->actions[outcome.action], outcome, now - begun_[outcome.action]);
    }
    (void)std::fflush(stdout);
    return outcomes;
}

void Narrator::tell(const Action& action, const Outcome& outcome, Clock::duration took) const {
    if (!outcome.done) return print_error(failure_text(action, outcome, err_));
    std::string line = action_line(action, columns_, out_);
    if (out_.person) {
        line = out_.paint(Paint::Green, "✓ ") + line + out_.paint(Paint::Dim, "   " + seconds(took));
    }
    print(line + "\n");
}

}  // namespace left4me::ctl
