#pragma once

#include <span>
#include <string>

#include "l4d2ctl/terminal.hpp"
#include "reconciler/plan.hpp"

namespace left4me::ctl {

/// The width of the widest subject and verb of a plan, so that lines printed one at a time align.
struct PlanColumns {
    std::size_t subject = 0;
    std::size_t verb = 0;

    explicit PlanColumns(const Plan& plan);
    PlanColumns() = default;
};

/// The colour of a verb: interruptions stand out from reports.
Paint paint_of(Verb verb);

/// `server/comp1   start    the unit is inactive, the manifest says Running`, without a newline.
std::string action_line(const Action& action, const PlanColumns& columns, const Terminal& terminal);

/// The whole plan as `diff` shows it, with whom it interrupts, and the counts in the last line. Empty for an
/// empty plan.
std::string plan_text(const Plan& plan, const Observed& observed, const Terminal& terminal);

/// `3 servers differ, 17 agree`.
std::string count_text(const Plan& plan);

}  // namespace left4me::ctl
