#include "operations/settling.hpp"

#include <algorithm>

namespace left4me::operations {

namespace {

/// Something else undoes it again and again, or the way to the host is blocked.
constexpr int max_tries = 3;

}  // namespace

bool Settling::has_settled(const StepReport& report) {
    for (const Outcome& outcome : report.ended.outcomes) {
        const Action& action = report.ended.plan.actions[outcome.action];
        ++tries_[{action.subject, action.verb}];
    }
    if (!report.seen) return false;
    if (report.revision.empty() || !report.host_error.empty()) return true;
    const auto awaited = [this](const Action& action) { return is_awaited(action); };
    return std::none_of(report.under_way.begin(), report.under_way.end(), awaited) &&
           std::none_of(report.difference.actions.begin(), report.difference.actions.end(), awaited);
}

bool Settling::awaits_builds() const {
    return !build_timeout_ || std::chrono::steady_clock::now() - began_ < *build_timeout_;
}

bool Settling::is_awaited(const Action& action) const {
    if (action.code == HoldReason::Building) return awaits_builds() && concerns(concern_, action.subject);
    // What it gives is another revision.
    if (action.verb == Verb::Refresh) return false;
    if (!is_effect(action.verb) || !concerns(concern_, action.subject)) return false;
    const auto tries = tries_.find({action.subject, action.verb});
    return tries == tries_.end() || tries->second < max_tries;
}

}  // namespace left4me::operations
