#pragma once

#include <span>

#include "reconciler/status.hpp"

namespace left4me {

/// What earlier passes left in the status.
Memory load_memory(const Status& previous);

/// What ended since then, and the time that has passed, count for the plan that follows: failures are added,
/// old ones are forgotten. `outcomes` are those of `attempted`.
void apply_outcomes(Memory& memory, const Target& target, const Observed& observed, const Plan& attempted,
                    std::span<const Outcome> outcomes);

}  // namespace left4me
