#pragma once

#include <chrono>
#include <string>

#include "builder/archive/transfer.hpp"
#include "builder/progress.hpp"
#include "builder/result.hpp"
#include "specs/manifest.hpp"

namespace left4me::builder {

struct DownloadSettings {
    std::string ca_file;  ///< as TransferRequest::ca_file
    TransferLimits limits;
    /// Between two tries; doubled each time.
    std::chrono::milliseconds wait{1000};
    /// A server that asks for a longer one is not waited for here: l4d2d tries again later.
    std::chrono::seconds longest_wait{120};
    /// In a row that bring nothing, for each location.
    unsigned tries = 5;
};

/// The archive as an open file whose SHA-256 is the one that the manifest names: nothing else is ever
/// returned. It is in `.build/download`, and what a killed build left there is continued. The locations are
/// tried one after the other; the error names what was wrong with each.
Built<Fd> fetch_archive(const ArchiveSource& source, int build_directory, Progress& progress,
                        const DownloadSettings& settings);

}  // namespace left4me::builder
