#pragma once

#include <functional>
#include <memory>

#include "adapters/poke/poke.hpp"
#include "operations/lock.hpp"
#include "operations/view.hpp"

namespace left4me::operations {

/// Puts a host around the real one that tells of what is done to it: how a front end shows progress.
using HostWrapper = std::function<std::unique_ptr<Host>(Host&)>;

/// Fetches the remote, if the source has one. What was fetched before stays in force when it fails.
Result<void> fetch(Context& context);

/// The revision to make a pass with. It is remembered as the last good one if it is the source's own; if
/// there is none, its trouble is.
Result<InForce> take_revision(Context& context);

struct PassOptions {
    bool retry_now = true;  ///< what failed lately is tried before it is due
    HostWrapper wrapper = {};
};

/// One pass, under the pass lock: runs the engine until nothing more can be done, and keeps the status, the
/// events, the history and the metrics. What a step failed with is in RunResult::ended.
Result<RunResult> make_pass(Context& context, const InForce& in_force, const PassOptions& options);

/// Asks the daemon, if there is one, to look again.
Poked trigger(const Context& context);

}  // namespace left4me::operations
