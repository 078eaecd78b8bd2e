#include "reconciler/pass.hpp"

#include "reconciler/memory.hpp"
#include "reconciler/schedule.hpp"

namespace left4me {
namespace {

std::expected<Observed, std::string> look(Host& host, const Desired& desired, const Status& previous) {
    std::expected<Observed, std::string> observed = host.observe(desired);
    if (observed) recall(*observed, previous);
    return observed;
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
            learn(*observed, desired, result.attempted, result.outcomes);
            result.remaining = plan_rest(desired, *observed);
        }
    }
    result.observed = *std::move(observed);
    result.status =
        next_status(previous, desired, result.observed, result.attempted, result.outcomes, result.remaining);
    return result;
}

}  // namespace left4me
