#pragma once

#include <expected>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/suspension.hpp"

namespace left4me {

/// state/suspensions.json: all (null, or reason, by, since, until) and servers{NAME: the same}. A missing
/// file suspends nothing. A damaged file is an error: acting on a suspended server is worse than not acting.
std::expected<Suspensions, std::string> load_suspensions(const Paths& paths);
/// Replaces the file atomically.
std::expected<void, std::string> save_suspensions(const Paths& paths, const Suspensions& suspensions);

}  // namespace left4me
