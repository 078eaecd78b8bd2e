#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "specs/name.hpp"

namespace left4me::helper {

inline constexpr std::string_view server_prefix = "left4me-server@";
inline constexpr std::string_view umount_prefix = "left4me-umount@";
inline constexpr std::string_view attach_prefix = "left4me-attach@";
inline constexpr std::string_view build_prefix = "left4me-build@";
inline constexpr std::string_view script_prefix = "left4me-script@";
inline constexpr std::string_view refresh_prefix = "left4me-refresh@";
inline constexpr std::string_view unit_suffix = ".service";

/// `name` must have passed is_valid_name(); it then needs no escaping.
inline std::string server_unit(std::string_view name) {
    return std::string(server_prefix).append(name).append(unit_suffix);
}

/// The oneshot unit that unmounts a stopped server's overlay in the host's mount namespace.
inline std::string umount_unit(std::string_view name) {
    return std::string(umount_prefix).append(name).append(unit_suffix);
}

/// The oneshot unit that remounts what a running server still has.
inline std::string attach_unit(std::string_view name) {
    return std::string(attach_prefix).append(name).append(unit_suffix);
}

/// The unit that builds an overlay.
inline std::string build_unit(std::string_view overlay) {
    return std::string(build_prefix).append(overlay).append(unit_suffix);
}

/// The unit in which an overlay's script runs.
inline std::string script_unit(std::string_view overlay) {
    return std::string(script_prefix).append(overlay).append(unit_suffix);
}

/// The oneshot unit that moves an overlay's pin forward.
inline std::string refresh_unit(std::string_view overlay) {
    return std::string(refresh_prefix).append(overlay).append(unit_suffix);
}

/// The server's name in `left4me-server@NAME.service`; nullopt for units that left4me would never create.
inline std::optional<std::string> server_of(std::string_view unit) {
    if (!unit.starts_with(server_prefix) || !unit.ends_with(unit_suffix)) return std::nullopt;
    unit.remove_prefix(server_prefix.size());
    unit.remove_suffix(unit_suffix.size());
    if (!is_valid_name(unit)) return std::nullopt;
    return std::string(unit);
}

}  // namespace left4me::helper
