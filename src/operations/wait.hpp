#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "operations/context.hpp"
#include "reconciler/desired.hpp"

namespace left4me::operations {

/// A duration in the syntax of manifests: 90s, 30m, 12h, 2d.
Result<std::chrono::milliseconds> parse_timeout(const std::string& text);

/// Servers that should run in this revision, in their order.
std::vector<std::string> wanted_running(const Desired& desired);

/// Waits until `names` are Ready. TimedOut says which are not, and why; immediately if the remaining ones
/// wait for a person (approval, a suspension, the game).
Result<void> wait_until_ready(Context& context, const std::vector<std::string>& names,
                              std::chrono::milliseconds timeout);

}  // namespace left4me::operations
