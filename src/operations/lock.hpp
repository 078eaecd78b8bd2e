#pragma once

#include "adapters/store/lock.hpp"
#include "operations/context.hpp"

namespace left4me::operations {

/// Takes the lock for edits, with a notice about its holder if it must wait, and completes an earlier
/// commit() that was killed. Nobody else edits the source through left4me meanwhile.
Result<PassLock> lock_edits(Context& context);

/// Takes the pass lock in the same way: nobody else changes the host through left4me meanwhile.
Result<PassLock> lock_host(Context& context);

}  // namespace left4me::operations
