#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "adapters/store/lock.hpp"
#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// How long to wait for servers after a pass; nullopt: not at all.
using Patience = std::optional<std::chrono::milliseconds>;

/// A duration from the command line, in the grammar of manifests: 90s, 30m, 12h, 2d. "": the default of two
/// minutes.
Result<std::chrono::milliseconds> parse_patience(const std::string& text);

/// Adds `--wait[=DURATION]` to a verb. `given` holds what follows it, nullopt when it was not given.
void add_wait_option(Command& verb, const std::shared_ptr<Patience>& patience);

/// The lock for edits of the source, with a word on stderr about who holds it; and a change that an earlier
/// commit() was killed in the middle of is finished. Nobody else edits the source through left4me meanwhile.
Result<PassLock> lock_edits(Session& session);

/// The pass lock, likewise: nobody else changes the host through left4me meanwhile.
Result<PassLock> lock_host(Session& session);

/// One pass under the lock: makes the host follow the source and tells of every step. Done, or Refused if
/// something failed, or what the trouble of the source deserves; with patience, TimedOut when a server does
/// not get ready.
Result<Exit> reconcile(Session& session, const Patience& patience);

/// Records that the caller did something to these subjects ("server/comp1"), and why. That it cannot be kept
/// is only a warning.
void tell_event(const Session& session, const std::vector<std::string>& subjects, const char* reason,
                const std::string& message);

/// Waits until `names` are Ready. TimedOut says which are not, and why; at once when what is left waits for a
/// person (approval, a suspension, the game).
Result<Exit> wait_until_ready(Session& session, const std::vector<std::string>& names,
                              std::chrono::milliseconds patience);

}  // namespace left4me::ctl
