#pragma once

#include "privileged/helper/batch.hpp"
#include "privileged/helper/manager.hpp"
#include "specs/tuning.hpp"

namespace left4me::helper {

/// The names have been checked. Nothing here waits for PID 1 or a job: the batch is answered when all is
/// done. Two hold up other requests: purge() for at most a second per server, while its overlay is mounting,
/// and tune() until its files are on the disk.
void enable(Manager& manager, const BatchPtr& batch);
void disable(Manager& manager, const BatchPtr& batch);
void start(Manager& manager, const BatchPtr& batch);
void stop(Manager& manager, const BatchPtr& batch);
void attach(Manager& manager, const BatchPtr& batch);
void restart(Manager& manager, const BatchPtr& batch);
void reset_failed(Manager& manager, const BatchPtr& batch);
void purge(Manager& manager, const BatchPtr& batch);
/// Removes what purges of an earlier, killed helper left behind; nobody waits for it.
void remove_leftovers(Manager& manager);

/// The names are of overlays. left4me-build, not root, reads from a file what to build.
void start_build(Manager& manager, const BatchPtr& batch);
/// The same of overlays that a script makes: starts the build, and then the unit that runs the script.
void start_script(Manager& manager, const BatchPtr& batch);
/// Stopping a build is not a failure; it stops its script, too, because that is bound to it; a build that
/// does not run counts as stopped.
void stop_build(Manager& manager, const BatchPtr& batch);

/// Starts the units that move the pins of overlays forward. left4me, not root, writes the lock file.
void refresh(Manager& manager, const BatchPtr& batch);

/// Makes left4me's drop-ins in /etc/systemd/system those of `wanted`, whose settings have been checked, and
/// has systemd read its unit files again. The batch has one entry, which stands for the host.
void tune(Manager& manager, const BatchPtr& batch, const Tuning& wanted);

/// reset-failed for one server of the batch.
void forget_failure(Manager& manager, const BatchPtr& batch, Entry& entry);

}  // namespace left4me::helper
