#include "l4d2ctl/plan_text.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "reconciler/impact.hpp"
#include "specs/text.hpp"

namespace left4me::ctl {

namespace {

std::string padded(std::string_view text, std::size_t width) {
    return std::string(text) + std::string(width - std::min(width, display_width(text)), ' ');
}

std::string servers(std::size_t count) {
    return count == 1 ? "1 server differs" : fmt::format("{} servers differ", count);
}

}  // namespace

PlanColumns::PlanColumns(const Plan& plan) {
    for (const Action& action : plan.actions) {
        subject = std::max(subject, to_string(action.subject).size());
        verb = std::max(verb, std::string_view(to_string(action.verb)).size());
    }
}

Paint paint_of(Verb verb) {
    switch (verb) {
        case Verb::Enable:
        case Verb::Start:
        case Verb::Attach:
            return Paint::Green;
        case Verb::Disable:
        case Verb::Stop:
        case Verb::Restart:
        case Verb::Revert:
        case Verb::Purge:
        case Verb::Unmanage:
        case Verb::Cancel:
            return Paint::Red;
        case Verb::Warn:
        case Verb::Command:
        case Verb::Set:
        case Verb::Hold:
        case Verb::Report:
            return Paint::Yellow;
        case Verb::Tune:
        case Verb::Build:
        case Verb::Refresh:
        case Verb::Render:
        case Verb::ResetFailed:
        case Verb::Prune:
            return Paint::Plain;
    }
    return Paint::Plain;
}

std::string action_line(const Action& action, const PlanColumns& columns, const Terminal& terminal) {
    return padded(to_string(action.subject), columns.subject) + "   " +
           terminal.paint(paint_of(action.verb), padded(to_string(action.verb), columns.verb)) + "   " +
           printable(action.reason);
}

std::string count_text(const Plan& plan) {
    return fmt::format("{}, {} agree{}",
                       plan.differing_servers == 0 ? "no server differs" : servers(plan.differing_servers),
                       plan.agreeing_servers, unready_text(plan));
}

std::string plan_text(const Plan& plan, const Observed& observed, const Terminal& terminal) {
    if (plan.empty()) return {};
    const PlanColumns columns(plan);
    std::string text;
    for (const Action& action : plan.actions) text += action_line(action, columns, terminal) + "\n";
    for (const Impact& impact : impacts_of(plan, observed)) text += impact_text(impact, observed) + "\n";
    return text + terminal.paint(Paint::Bold, count_text(plan)) + "\n";
}

}  // namespace left4me::ctl
