#pragma once

#include <expected>
#include <string>

#include "adapters/paths.hpp"
#include "reconciler/intent.hpp"
#include "reconciler/plan.hpp"

namespace left4me {

// What people asked for and still waits. A missing file asks for nothing. Saving replaces the file at once;
// only under the pass lock.

/// state/restarts.json: an array of requests, each with by, at, whenEmpty, staggered and servers{NAME:
/// invocation}.
std::expected<RestartRequests, std::string> load_restart_requests(const Paths& paths);
std::expected<void, std::string> save_restart_requests(const Paths& paths, const RestartRequests& requests);

/// state/resets.json: by server, an object with by, at, reason and directory.
std::expected<ResetRequests, std::string> load_reset_requests(const Paths& paths);
std::expected<void, std::string> save_reset_requests(const Paths& paths, const ResetRequests& requests);

/// state/stops.json: an array of requests, each with servers[NAME…], removes and waits, and drain{by, at,
/// deadline, message, begun} if it waits until nobody plays.
std::expected<StopRequests, std::string> load_stop_requests(const Paths& paths);
std::expected<void, std::string> save_stop_requests(const Paths& paths, const StopRequests& requests);

/// Removes the requests that are over from the files, and notes which stops were held, as open_requests()
/// says. Only under the pass lock. True: something was written.
std::expected<bool, std::string> drop_finished_requests(const Paths& paths, const Target& target,
                                                        const Observed& observed, const Plan& difference);

}  // namespace left4me
