#pragma once

#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "builder/staging.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// Has left4me-script@NAME.service run the script, and takes what it left as an archive: verified and written
/// like any other that comes from outside.
Built<Staged> stage_script(const ScriptSource& source, int build_directory, Staging& staging,
                           Progress& progress);

}  // namespace left4me::builder
