#include "adapters/systemd/unit_names.hpp"

#include <fmt/format.h>

#include "adapters/systemd/names.hpp"
#include "specs/name.hpp"

namespace left4me {
namespace {

constexpr std::string_view suffix = ".service";

std::optional<std::string> name_in(std::string_view unit, std::string_view prefix) {
    if (!unit.starts_with(prefix) || !unit.ends_with(suffix) || unit.size() < prefix.size() + suffix.size())
        return std::nullopt;
    const std::string_view name = unit.substr(prefix.size(), unit.size() - prefix.size() - suffix.size());
    if (!is_valid_name(name)) return std::nullopt;
    return std::string(name);
}

}  // namespace

std::string server_unit(std::string_view server) {
    return std::string(server_unit_prefix).append(server).append(suffix);
}

std::string build_unit(std::string_view overlay) {
    return std::string(build_unit_prefix).append(overlay).append(suffix);
}

std::string install_unit(std::string_view installation) {
    return std::string("left4me-install@").append(installation).append(suffix);
}

std::string script_unit(std::string_view overlay) {
    return std::string("left4me-script@").append(overlay).append(suffix);
}

std::string proxy_unit(std::string_view overlay) {
    return std::string("left4me-proxy@").append(overlay).append(suffix);
}

std::string refresh_unit(std::string_view overlay) {
    return std::string("left4me-refresh@").append(overlay).append(suffix);
}

std::optional<std::string> server_of(std::string_view unit) { return name_in(unit, server_unit_prefix); }
std::optional<std::string> overlay_of(std::string_view unit) { return name_in(unit, build_unit_prefix); }

/// Same encoding as sd_bus_path_encode(3).
std::string unit_path(std::string_view unit) {
    std::string path = std::string(systemd::units) + "/";
    for (const char c : unit) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        path += plain ? std::string(1, c) : fmt::format("_{:02x}", static_cast<unsigned char>(c));
    }
    return path;
}

}  // namespace left4me
