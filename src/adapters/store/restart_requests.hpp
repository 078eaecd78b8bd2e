#pragma once

#include <expected>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/restart_request.hpp"

namespace left4me {

/// state/restarts.json: an array of requests, each with by, at, whenEmpty, staggered and servers{NAME:
/// invocation}. A missing file asks for nothing.
std::expected<RestartRequests, std::string> load_restart_requests(const Paths& paths);
/// Replaces the file at once. Only under the pass lock.
std::expected<void, std::string> save_restart_requests(const Paths& paths, const RestartRequests& requests);

}  // namespace left4me
