#pragma once

#include "adapters/store/lock.hpp"
#include "operations/context.hpp"

namespace left4me::operations {

/// The lock for edits, with a notice about who holds it; and a change that an earlier commit() was killed in
/// the middle of is finished. Nobody else edits the source through left4me meanwhile.
Result<PassLock> lock_edits(Context& context);

/// The pass lock, likewise: nobody else changes the host through left4me meanwhile.
Result<PassLock> lock_host(Context& context);

}  // namespace left4me::operations
