#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "l4d2ctl/session.hpp"
#include "operations/edit.hpp"

namespace left4me::ctl {

using operations::Proposal;

/// How long to wait for servers after a pass; nullopt: not at all.
using Patience = std::optional<std::chrono::milliseconds>;

/// What `--wait` and `--timeout` take: a duration; "": the default of two minutes.
operations::Result<std::chrono::milliseconds> parse_patience(const std::string& text);

/// Adds `--wait[=DURATION]` to a verb. `given` holds what follows it, nullopt when it was not given.
void add_wait_option(Command& verb, const std::shared_ptr<Patience>& patience);

/// One pass under the lock: makes the host follow the source and tells of every step. Done, or Refused if
/// something failed, or what the trouble of the source deserves; with patience, TimedOut when a server does
/// not get ready.
Result<Exit> reconcile(Session& session, const Patience& patience);

/// Makes an edit, prints its effects as `server/comp1 created`, and then a pass that makes the host follow.
Result<Exit> edit_and_reconcile(Session& session, const std::function<operations::Result<Proposal>()>& make,
                                const Patience& patience);
void tell_effects(const Session& session, const Proposal& proposal, const std::string& suffix = {});

}  // namespace left4me::ctl
