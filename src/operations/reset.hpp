#pragma once

#include <string>
#include <vector>

#include "operations/context.hpp"
#include "operations/selection.hpp"
#include "reconciler/desired.hpp"

namespace left4me::operations {

struct ResetsRequested {
    std::vector<std::string> servers;
    std::vector<std::string> empty;  ///< they have written nothing: there is nothing to reset
};

/// Notes that a person wants everything that these servers wrote to be removed: the next pass stops those
/// that run, removes it, and starts them as the manifests say. Takes the pass lock for that. Suspended:
/// somebody has asked to leave one of them alone; then nothing was noted.
Result<ResetsRequested> request_reset(Context& context, Desired desired,
                                      const std::vector<std::string>& servers, const std::string& reason);

/// Withdraws such requests; returns the servers that had one. What has begun goes on.
Result<std::vector<std::string>> cancel_reset(Context& context, const Selection& selection);

}  // namespace left4me::operations
