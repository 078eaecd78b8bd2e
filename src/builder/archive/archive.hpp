#pragma once

#include <string>

#include "builder/archive/download.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "builder/staging.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// Downloads, verifies and unpacks an archive. Takes the network away from this process when nothing is to be
/// downloaded any more.
Built<Staged> stage_archive(const ArchiveSource& source, int build_directory, Staging& staging,
                            Progress& progress, const DownloadSettings& settings);

}  // namespace left4me::builder
