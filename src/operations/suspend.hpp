#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "operations/lock.hpp"
#include "operations/selection.hpp"
#include "reconciler/suspension.hpp"

namespace left4me::operations {

struct Suspended {
    std::vector<std::string> servers;  ///< none: everything
    Suspension suspension;
};
/// Leaves the selected servers alone until resume(), or for as long as is said. When it returns, nothing is
/// being done to them any more.
Result<Suspended> suspend(Context& context, const Selection& selection, const std::string& reason,
                          std::optional<std::chrono::milliseconds> duration);

struct Resumed {
    std::vector<std::string> servers;
    std::vector<std::string> not_suspended;  ///< asked for, but not suspended by themselves
    bool all_suspended = false;              ///< everything is, and stays so
    bool anything = false;                   ///< a suspension has ended: a pass should follow
};
/// Ends suspensions, under the pass lock. A server that is named need not be known: it may have been deleted
/// while it was suspended.
Result<Resumed> resume(Context& context, const PassLock& held, const Selection& selection);

}  // namespace left4me::operations
