#pragma once

#include <vector>

#include "adapters/store/files.hpp"
#include "adapters/store/regular_files.hpp"
#include "builder/staging.hpp"

namespace left4me::builder {

/// Notes that the artifact in `overlay`, which has these files, has been built. Of one that was there
/// already, only when that was, and what its items are called, is new.
store::Done tell_built(int overlay, const Staged& staged, bool is_new,
                       const std::vector<store::RegularFile>& files);

}  // namespace left4me::builder
