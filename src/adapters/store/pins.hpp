#pragma once

#include <expected>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/pin.hpp"

namespace left4me {

/// state/pins.json: by overlay, an object with artifact, by, at and reason. A missing file pins nothing. A
/// damaged file is an error: a server that gets what somebody rolled back is worse than one that gets nothing
/// new.
std::expected<Pins, std::string> load_pins(const Paths& paths);
/// Replaces the file atomically; only under the pass lock.
std::expected<void, std::string> save_pins(const Paths& paths, const Pins& pins);

}  // namespace left4me
