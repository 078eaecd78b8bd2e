#pragma once

#include "operations/interruption.hpp"
#include "operations/reconcile.hpp"

namespace left4me::operations {

/// Drives the engine here, under the pass lock where that is needed, until what is of concern has settled and
/// nothing that was begun is under way.
Result<StepReport> drive(Context& context, const ReconcileOptions& options, Settling& settling,
                         Interruption& interruption);

}  // namespace left4me::operations
