#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "operations/context.hpp"
#include "operations/selection.hpp"
#include "reconciler/suspension.hpp"

namespace left4me::operations {

struct Suspended {
    std::vector<std::string> servers;  ///< none: everything
    Suspension suspension;
};
/// Leaves the selected servers alone until resume(), or for as long as is said. When it returns, nothing
/// more is begun for them; a unit that is starting or stopping goes on.
Result<Suspended> suspend(Context& context, const Selection& selection, const std::string& reason,
                          std::optional<std::chrono::milliseconds> duration);

struct Resumed {
    std::vector<std::string> servers;
    std::vector<std::string> not_suspended;  ///< named, but not suspended themselves
    bool all_suspended = false;              ///< everything is, and stays suspended
    bool anything = false;                   ///< a suspension has ended: reconcile() should follow
};
/// Ends suspensions, under the pass lock. A named server need not be known: it may have been deleted while it
/// was suspended.
Result<Resumed> resume(Context& context, const Selection& selection);

}  // namespace left4me::operations
