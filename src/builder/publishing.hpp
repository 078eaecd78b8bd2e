#pragma once

#include <string>

#include "adapters/store/files.hpp"
#include "builder/share.hpp"

namespace left4me::builder {

/// Notes that the artifact in `overlay` has been built. Of one that was there already, only when that was is
/// new.
store::Done tell_built(int overlay, const std::string& digest, bool is_new, const Sharing& sharing);

}  // namespace left4me::builder
