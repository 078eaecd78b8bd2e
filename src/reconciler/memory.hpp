#pragma once

#include <span>

#include "reconciler/status.hpp"

namespace left4me {

/// Gives a fresh look at the host what earlier passes have left in the status.
void recall(Observed& observed, const Status& previous);

/// What a pass has just learnt counts for the plan that follows it, as it will for the next pass: after
/// recall() on the look that is taken when a plan has been carried out.
void learn(Observed& observed, const Desired& desired, const Plan& attempted,
           std::span<const Outcome> outcomes);

/// plan() of what a pass leaves behind. That a person insisted was for what has just been tried.
Plan plan_rest(const Desired& desired, const Observed& observed);

}  // namespace left4me
