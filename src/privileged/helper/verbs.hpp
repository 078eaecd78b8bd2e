#pragma once

#include "privileged/helper/batch.hpp"
#include "privileged/helper/manager.hpp"

namespace left4me::helper {

/// The names have been checked. Nothing here waits; the batch is answered when all is done.
void enable(Manager& manager, const BatchPtr& batch);
void disable(Manager& manager, const BatchPtr& batch);
void start(Manager& manager, const BatchPtr& batch);
void stop(Manager& manager, const BatchPtr& batch);
void attach(Manager& manager, const BatchPtr& batch);
void restart(Manager& manager, const BatchPtr& batch);
void reset_failed(Manager& manager, const BatchPtr& batch);
void purge(Manager& manager, const BatchPtr& batch);
/// What purges of an earlier helper, which was killed, have left; nobody waits for it.
void remove_leftovers(Manager& manager);

/// The names are of overlays. What is built stands in a file that left4me-build reads, and root does not.
void start_build(Manager& manager, const BatchPtr& batch);
/// A build that is stopped has not failed; one that does not run is stopped.
void stop_build(Manager& manager, const BatchPtr& batch);

/// reset-failed of one server of the batch.
void forget_failure(Manager& manager, const BatchPtr& batch, Entry& entry);

}  // namespace left4me::helper
