#pragma once

#include <filesystem>
#include <string>

#include "builder/partial_file.hpp"

namespace left4me::builder {

/// Builds what `overlays/NAME/.build/request` describes into an artifact, and writes the result to
/// `.build/record`. `invocation`: systemd's INVOCATION_ID. Returns the program's exit code: 0, or 1 if the
/// build failed; messages go to stderr, the unit's journal.
int build(const std::filesystem::path& overlays, const std::string& name, const std::string& invocation,
          const DownloadSettings& downloads = {});

/// How a build's process ended according to systemd, systemd.exec(5): the variables of ExecStopPost=.
struct ServiceResult {
    std::string invocation;  ///< INVOCATION_ID
    std::string result;      ///< SERVICE_RESULT
    std::string status;      ///< EXIT_STATUS
};

/// Writes the record for a build that was killed and could not do so itself.
int record_end(const std::filesystem::path& overlays, const std::string& name, const ServiceResult& ended);

}  // namespace left4me::builder
