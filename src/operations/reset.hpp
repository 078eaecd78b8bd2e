#pragma once

#include <string>
#include <vector>

#include "operations/context.hpp"
#include "reconciler/engine.hpp"

namespace left4me::operations {

/// Removes everything that these servers wrote, under the pass lock. One that runs is stopped and started for
/// it: the lock is held until then, so that nobody starts it in between. Returns how each action ended.
/// Suspended: somebody has asked to leave one of them alone.
Result<CompletedActions> reset(Context& context, Desired desired, const std::vector<std::string>& servers,
                               const std::string& reason);

}  // namespace left4me::operations
