#pragma once

#include <set>
#include <string>
#include <vector>

#include "reconciler/observed.hpp"
#include "reconciler/target.hpp"

namespace left4me {

/// Servers that a person stopped or deleted by a command of their own, one set a command. What such a command
/// takes down is judged by itself, and not as a part of whatever else the source's revision takes down. A
/// server is in one of them at most.
using StopRequests = std::vector<std::set<std::string>>;

/// Inactive, unmounted, and not started at boot.
bool is_stopped(const ObservedServer& server);

/// The manifests want the server stopped or deleted, and it is not yet. `target`: nullptr if it is not in the
/// manifests.
bool must_go_down(const TargetServer* target, const ObservedServer& observed);

/// Adds a request, and takes its servers out of all others.
void add(StopRequests& requests, const std::set<std::string>& servers);

/// Without the servers that are down, and those that the manifests want Running again.
StopRequests open_requests(const StopRequests& requests, const Target& target, const Observed& observed);

}  // namespace left4me
