#pragma once

#include "builder/partial_file.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

/// The archive as an open file whose SHA-256 is the one that the manifest names: nothing else is ever
/// returned. It is in `.build/download`, and what a killed build left there is continued. The locations are
/// tried one after the other; the error names what was wrong with each.
Built<Fd> fetch_archive(const ArchiveSource& source, int build_directory, Progress& progress,
                        const DownloadSettings& settings);

}  // namespace left4me::builder
