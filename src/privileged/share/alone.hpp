#pragma once

#include <expected>
#include <string>

namespace left4me::share {

/// Whether nothing of an overlay's build is left but this process, which systemd runs in the unit's control
/// group after all others have ended (ExecStopPost=). Who has a file open for writing can write to it after
/// it has another owner. `overlay`: a valid name; of an Installation, steamcmd's unit is stopped first.
std::expected<void, std::string> is_alone(const std::string& overlay, bool is_installation);

}  // namespace left4me::share
