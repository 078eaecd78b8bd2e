#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace left4me {

/// What the names of our units begin with.
inline constexpr std::string_view server_unit_prefix = "left4me-server@";
/// `left4me-server@NAME.service`.
std::string server_unit(std::string_view server);
/// NAME, if the rest fits and NAME is one that a manifest could have; such units alone are ever looked at.
std::optional<std::string> server_of(std::string_view unit);

/// The same of the units that build overlays.
inline constexpr std::string_view build_unit_prefix = "left4me-build@";
std::string build_unit(std::string_view overlay);
std::optional<std::string> overlay_of(std::string_view unit);

/// The object of a unit on the bus. Of the beginning of a name: what such objects' paths begin with.
std::string unit_path(std::string_view unit);

}  // namespace left4me
