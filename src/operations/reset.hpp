#pragma once

#include <string>
#include <vector>

#include "operations/reconcile.hpp"

namespace left4me::operations {

/// Removes everything that these servers wrote, under the pass lock. One that runs is stopped and started for
/// it. False: a step failed, of which the wrapped host has told. Suspended: somebody has asked to leave one
/// of them alone.
Result<bool> reset(Context& context, const PassLock& held, Desired desired,
                   const std::vector<std::string>& servers, const std::string& reason,
                   const HostWrapper& wrapper);

}  // namespace left4me::operations
