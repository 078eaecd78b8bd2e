#pragma once

#include <span>

#include "reconciler/status.hpp"

namespace left4me {

/// Loads what earlier passes left in the status.
Memory load_memory(const Status& previous);

/// Updates the memory for the next plan: adds new failures and forgets old ones. `outcomes` are those of
/// `attempted`.
void apply_outcomes(Memory& memory, const Target& target, const Observed& observed, const Plan& attempted,
                    std::span<const Outcome> outcomes);

}  // namespace left4me
