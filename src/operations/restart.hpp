#pragma once

#include <map>
#include <string>
#include <vector>

#include "operations/context.hpp"
#include "operations/selection.hpp"
#include "reconciler/restart_request.hpp"

namespace left4me::operations {

struct RestartOptions {
    bool when_empty = false;  ///< each server when nobody plays there
    bool staggered = false;   ///< at most a tenth of them, and at least one, down at the same time
};

struct RestartsRequested {
    std::vector<std::string> servers;
    std::map<std::string, std::string> not_running;  ///< selected, but there is nothing to restart: why
};

/// Notes that a person wants these servers restarted: the next pass does it, or says what it waits for. Takes
/// the pass lock for that. Replaces what was asked for the same servers before.
Result<RestartsRequested> request_restart(Context& context, const Selection& selection,
                                          const RestartOptions& options);

/// Withdraws such requests, too; returns the servers that had one. A server that is named
/// need not be known.
Result<std::vector<std::string>> cancel_restart(Context& context, const Selection& selection);

}  // namespace left4me::operations
