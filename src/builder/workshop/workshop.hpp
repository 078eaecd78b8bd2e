#pragma once

#include "builder/partial_file.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "builder/staging.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// Fetches items of the Steam workshop, and of its collections, as left4dead2/addons/ID.vpk. Items that a
/// killed build has finished are kept; those that the overlay's last artifact (an open directory, or -1) has,
/// and that Steam says are not newer, are copied from it.
Built<Staged> stage_workshop(const WorkshopSource& source, int build_directory, int last_artifact,
                             Staging& staging, Progress& progress, const DownloadSettings& settings);

/// What the source, without its pin, stands for now. Nothing but Steam's API is asked.
Built<WorkshopPin> look_up_workshop(const WorkshopSource& source, int build_directory, Progress& progress,
                                    const DownloadSettings& settings);

}  // namespace left4me::builder
