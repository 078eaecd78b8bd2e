#pragma once

#include <expected>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/rollback.hpp"

namespace left4me {

/// state/rollbacks.json: by overlay, an object with artifact, by, at and reason. A missing file asks for
/// nothing. A damaged file is an error: a server that gets what somebody rolled back is worse than one that
/// gets nothing new.
std::expected<Rollbacks, std::string> load_rollbacks(const Paths& paths);
/// Replaces the file atomically; only under the pass lock.
std::expected<void, std::string> save_rollbacks(const Paths& paths, const Rollbacks& rollbacks);

}  // namespace left4me
