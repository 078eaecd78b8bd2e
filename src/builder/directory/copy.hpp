#pragma once

#include <string>

#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "builder/staging.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// Copies a directory. Its files are never parsed, only hashed. `input` is filled in as soon as it is known,
/// also for failures.
Built<Staged> stage_directory(const DirectorySource& source, Staging& staging, Progress& progress,
                              std::string& input);

}  // namespace left4me::builder
