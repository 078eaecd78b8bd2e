#pragma once

#include <string>

#include "operations/context.hpp"

namespace left4me::operations {

/// Agrees to the revision that the source offers, or stands at, or to an earlier one of which something still
/// waits for that; under the pass lock. `revision` begins as it does, with 7 characters at least. reconcile()
/// should follow. Returns the whole name.
Result<std::string> approve(Context& context, const std::string& revision);

}  // namespace left4me::operations
