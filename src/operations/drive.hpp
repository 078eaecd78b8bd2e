#pragma once

#include <chrono>

#include "operations/interruption.hpp"
#include "operations/reconcile.hpp"

namespace left4me::operations {

/// How often whoever waits is told so: ReconcileOptions::on_wait.
inline constexpr std::chrono::milliseconds wait_pause{1000};

/// Drives the engine here, under the pass lock where that is needed, until what is of concern has settled and
/// nothing that was begun is under way.
Result<StepReport> drive(Context& context, const ReconcileOptions& options, Settling& settling,
                         Interruption& interruption);

}  // namespace left4me::operations
