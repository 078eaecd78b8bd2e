#pragma once

#include <expected>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/status.hpp"

namespace left4me {

/// state/status.json. A missing or damaged file reads as an empty Status: every pass can do without it.
Status load_status(const Paths& paths);
/// Replaces the file at once (written beside, then renamed).
std::expected<void, std::string> save_status(const Paths& paths, const Status& status);

}  // namespace left4me
