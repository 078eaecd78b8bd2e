#pragma once

#include <optional>
#include <string>

namespace left4me::operations {

enum class Kind { Server, Blueprint, Overlay };

const char* to_string(Kind kind);      ///< "server", as in `server/comp1`
const char* manifest_kind(Kind kind);  ///< "Server", as in a manifest

/// `servers`, `server`, `srv`, `Server` and so on; nullopt for no kind at all.
std::optional<Kind> parse_kind(const std::string& word);

}  // namespace left4me::operations
