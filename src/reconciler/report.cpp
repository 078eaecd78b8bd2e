#include "reconciler/report.hpp"

#include <utility>

namespace left4me {
namespace {

void strip(std::vector<Action>& actions) {
    for (Action& action : actions) {
        action.artifact.clear();
        action.after.clear();
        action.source.reset();
        action.rendering.reset();
        action.tuning.reset();
    }
}

}  // namespace

StepReport report_of(const StepResult& step, std::vector<Action> under_way) {
    StepReport report;
    report.revision = step.target.revision();
    report.difference = step.difference;
    report.under_way = std::move(under_way);
    report.ended = step.news;
    for (std::vector<Action>* const actions :
         {&report.difference.actions, &report.under_way, &report.ended.plan.actions})
        strip(*actions);
    return report;
}

StepReport merge(StepReport earlier, StepReport later) {
    append(earlier.ended, std::move(later.ended));
    later.ended = std::move(earlier.ended);
    later.seen = later.seen || earlier.seen;
    return later;
}

}  // namespace left4me
