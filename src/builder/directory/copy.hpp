#pragma once

#include <string>

#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "builder/staging.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// What a source's files in staging are, once all are there.
struct Staged {
    std::string generation;  ///< of the content
    std::string input;       ///< of the source as it was looked at
};

/// Copies a directory. Its files are never parsed, only hashed. `input` is filled in as soon as it is known,
/// for failures too.
Built<Staged> stage_directory(const DirectorySource& source, Staging& staging, Progress& progress,
                              std::string& input);

}  // namespace left4me::builder
