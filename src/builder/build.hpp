#pragma once

#include <filesystem>
#include <string>

namespace left4me::builder {

/// Builds what `overlays/NAME/.build/request` asks for into an artifact, and writes how that ended into
/// `.build/record`. `invocation`: systemd's INVOCATION_ID. Returns the program's exit code: 0, or 1 if the
/// build failed; what happened is said on stderr, which is the unit's journal.
int build(const std::filesystem::path& overlays, const std::string& name, const std::string& invocation);

/// How systemd says that a build's process ended, systemd.exec(5): the variables of ExecStopPost=.
struct ServiceResult {
    std::string invocation;  ///< INVOCATION_ID
    std::string result;      ///< SERVICE_RESULT
    std::string status;      ///< EXIT_STATUS
};

/// Writes the record of a build that could not do so itself, because it was killed.
int record_end(const std::filesystem::path& overlays, const std::string& name, const ServiceResult& ended);

}  // namespace left4me::builder
