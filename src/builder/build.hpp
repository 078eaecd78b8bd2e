#pragma once

#include <filesystem>
#include <string>

#include "builder/partial_file.hpp"

namespace left4me::builder {

/// Who records what came of a build: once it is recorded, servers use the artifact.
enum class Recording {
    Now,
    AtEnd,  ///< record_end(), after left4me-share has sealed the artifact
};

/// Builds what `overlays/NAME/.build/request` describes into an artifact, and writes the result to
/// `.build/record`. `invocation`: systemd's INVOCATION_ID. Returns the program's exit code: 0, or 1 if the
/// build failed; messages go to stderr, the unit's journal.
int build(const std::filesystem::path& overlays, const std::string& name, const std::string& invocation,
          Recording recording, const DownloadSettings& downloads = {});

/// How a build's process ended according to systemd, systemd.exec(5): the variables of ExecStopPost=.
struct ServiceResult {
    std::string invocation;  ///< INVOCATION_ID
    std::string result;      ///< SERVICE_RESULT
    std::string status;      ///< EXIT_STATUS
};

/// Writes the record: what the build has left for it, or that it was killed and could not do so.
int record_end(const std::filesystem::path& overlays, const std::string& name, const ServiceResult& ended);

}  // namespace left4me::builder
