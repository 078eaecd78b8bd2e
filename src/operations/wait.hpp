#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "operations/context.hpp"
#include "reconciler/desired.hpp"

namespace left4me::operations {

/// A duration in the grammar of manifests: 90s, 30m, 12h, 2d.
Result<std::chrono::milliseconds> parse_patience(const std::string& text);

/// Servers that the revision wants to run, in their order.
std::vector<std::string> wanted_running(const Desired& desired);

/// Waits until `names` are Ready. TimedOut says which are not, and why; at once when what is left waits for a
/// person (approval, a suspension, the game).
Result<void> wait_until_ready(Context& context, const std::vector<std::string>& names,
                              std::chrono::milliseconds patience);

}  // namespace left4me::operations
