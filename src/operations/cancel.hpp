#pragma once

#include "operations/context.hpp"
#include "reconciler/plan.hpp"

namespace left4me::operations {

/// Stops the build of an overlay or Installation, and waits until it has stopped. It is not begun again until
/// its source is another, or a person asks for a pass. False: it was not being built, nor to be. Takes no
/// lock: what is to stop must not wait for anybody's pass.
Result<bool> cancel_build(Context& context, const Subject& owner);

}  // namespace left4me::operations
