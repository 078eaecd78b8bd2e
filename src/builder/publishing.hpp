#pragma once

#include <string>

#include "adapters/store/artifact_info.hpp"
#include "builder/result.hpp"

namespace left4me::builder {

/// What the files of a staged tree take; zeros if that cannot be told.
store::ArtifactInfo measure_files(int tree);

/// Notes that the artifact in `overlay` has been built. Of one that was there already, only when that was is
/// new.
store::Done tell_built(int overlay, const std::string& digest, bool is_new, store::ArtifactInfo info);

}  // namespace left4me::builder
