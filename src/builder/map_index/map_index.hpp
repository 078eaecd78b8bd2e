#pragma once

#include "builder/partial_file.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "builder/staging.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// Fetches the maps that an index names, into left4dead2/addons. Maps that a killed build has finished are
/// kept; those that the overlay's last artifact (an open directory, or -1) has already are copied from it.
/// Each is in the staging tree only when its size and MD5 are right.
Built<Staged> stage_map_index(const MapIndexSource& source, int build_directory, int last_artifact,
                              Staging& staging, Progress& progress, const DownloadSettings& settings);

/// The maps that the index names now. Nothing but the index is fetched.
Built<MapIndexPin> look_up_map_index(const MapIndexSource& source, int build_directory, Progress& progress,
                                     const DownloadSettings& settings);

}  // namespace left4me::builder
