#pragma once

#include <map>
#include <string>

#include "reconciler/observed.hpp"
#include "reconciler/target.hpp"
#include "reconciler/time.hpp"

namespace left4me {

/// A person asked for everything that a server wrote to be removed.
struct ResetRequest {
    std::string by;  ///< never empty
    TimePoint at;
    std::string reason;  ///< the person's own words; may be empty
    /// ObservedServer::runtime when the reset was asked for. The reset is due while that directory is still
    /// there. Any other one was created after it, so a request is never carried out twice.
    std::string directory;

    bool operator==(const ResetRequest&) const = default;
};

/// By server.
using ResetRequests = std::map<std::string, ResetRequest>;

/// The server still has the directory that it had when the reset was asked for.
bool is_reset_due(const ResetRequest& request, const ObservedServer& observed);

/// Without what is over: the directory is gone, and if the manifests want the server to run, it runs again or
/// its start was tried. A request stays until then, because the start is part of it.
ResetRequests open_requests(const ResetRequests& requests, const Target& target, const Observed& observed);

/// "alice asked for a reset at 2026-03-01 12:00 UTC: it was taken".
std::string request_text(const ResetRequest& request);

}  // namespace left4me
