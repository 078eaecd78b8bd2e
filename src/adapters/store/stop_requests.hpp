#pragma once

#include <expected>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/stop_request.hpp"

namespace left4me {

/// state/stops.json: an array of requests, each an array of names. A missing file asks for nothing.
std::expected<StopRequests, std::string> load_stop_requests(const Paths& paths);
/// Replaces the file at once. Only under the pass lock.
std::expected<void, std::string> save_stop_requests(const Paths& paths, const StopRequests& requests);

}  // namespace left4me
