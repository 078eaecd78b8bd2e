#pragma once

#include "adapters/store/files.hpp"
#include "builder/share.hpp"
#include "builder/staging.hpp"

namespace left4me::builder {

/// Notes that the artifact in `overlay` has been built. Of one that was there already, only when that was,
/// and what its items are called, is new.
store::Done tell_built(int overlay, const Staged& staged, bool is_new, const Sharing& sharing);

}  // namespace left4me::builder
