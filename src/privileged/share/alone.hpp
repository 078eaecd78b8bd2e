#pragma once

#include <expected>
#include <string>

namespace left4me::share {

/// Whoever has a file open for writing can still write to it after its owner has changed.
using Alone = std::expected<void, std::string>;

/// Stops the unit in which steamcmd runs for an Installation, and waits until it has stopped. `name`: valid.
Alone stop_steamcmd(const std::string& name);

/// An error unless this process is the only one in its control group: systemd runs it in the unit's own after
/// all others have ended (ExecStopPost=).
Alone check_alone();

}  // namespace left4me::share
