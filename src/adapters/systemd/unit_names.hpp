#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace left4me {

/// The prefixes of our units' names.
inline constexpr std::string_view server_unit_prefix = "left4me-server@";
/// `left4me-server@NAME.service`.
std::string server_unit(std::string_view server);
/// NAME, if the rest matches and NAME is valid in a manifest; all other units are ignored.
std::optional<std::string> server_of(std::string_view unit);

/// The same of the units that build overlays.
inline constexpr std::string_view build_unit_prefix = "left4me-build@";
std::string build_unit(std::string_view overlay);
std::optional<std::string> overlay_of(std::string_view unit);

/// The unit in which steamcmd runs for an Installation.
std::string install_unit(std::string_view installation);
/// The unit in which an overlay's script runs.
std::string script_unit(std::string_view overlay);
/// Its way to public addresses, if it may have one.
std::string proxy_unit(std::string_view overlay);
/// The unit that moves an overlay's pin forward.
std::string refresh_unit(std::string_view overlay);

/// The object path of a unit on the bus. For a prefix of a name: the prefix of such paths.
std::string unit_path(std::string_view unit);

}  // namespace left4me
