#include "reconciler/pass.hpp"

#include <algorithm>

#include "reconciler/schedule.hpp"

namespace left4me {
namespace {

std::expected<Observed, std::string> look(Host& host, const Desired& desired, const Status& previous) {
    std::expected<Observed, std::string> observed = host.observe(desired);
    if (!observed) return observed;
    for (const auto& [name, status] : previous.servers) observed->remembered.emplace(name, status.remembered);
    return observed;
}

/// What this pass has just learnt counts for the plan that follows it, as it will for the next pass.
void remember_holds(Observed& observed, const Plan& attempted) {
    for (const Action& action : attempted.actions) {
        if (action.code != "ApprovalRequired") continue;
        observed.remembered[action.subject.name].awaits_approval = attempted.revision;
    }
}

}  // namespace

std::expected<PassResult, std::string> run_pass(Host& host, const Desired& desired, const Status& previous) {
    std::expected<Observed, std::string> observed = look(host, desired, previous);
    if (!observed) return std::unexpected(observed.error());

    PassResult result;
    result.attempted = plan(desired, *observed);
    result.outcomes = apply(host, desired, result.attempted);
    result.remaining = result.attempted;
    if (!result.outcomes.empty()) {
        // If the host cannot be read a second time, all that is known is what was wanted before: keep saying
        // that.
        std::expected<Observed, std::string> after = look(host, desired, previous);
        if (after) {
            observed = std::move(after);
            remember_holds(*observed, result.attempted);
            result.remaining = plan(desired, *observed);
        }
    }
    result.observed = *std::move(observed);
    result.status =
        next_status(previous, desired, result.observed, result.attempted, result.outcomes, result.remaining);
    return result;
}

}  // namespace left4me
