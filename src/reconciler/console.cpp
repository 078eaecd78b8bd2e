#include "reconciler/console.hpp"

#include <fmt/format.h>

namespace left4me {
namespace {

/// A text that a person wrote does not end with it by chance.
constexpr std::string_view before =
    "\n// spec.rcon: left4me asks the game with this password who plays, and operators use its console.\n"
    "rcon_password \"";
constexpr std::string_view after = "\"\n";

}  // namespace

std::string console_config(std::string_view secret_file) {
    return fmt::format("{}${{secret:{}}}{}", before, secret_file, after);
}

std::optional<std::string> console_password(std::string_view config) {
    if (!config.ends_with(after)) return std::nullopt;
    config.remove_suffix(after.size());
    const std::size_t at = config.rfind(before);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view password = config.substr(at + before.size());
    // A secret is one line without quotation marks.
    if (password.empty() || password.find_first_of("\"\n") != std::string_view::npos) return std::nullopt;
    return std::string(password);
}

}  // namespace left4me
