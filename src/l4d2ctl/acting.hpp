#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "l4d2ctl/session.hpp"
#include "operations/edit.hpp"
#include "operations/settling.hpp"

namespace left4me::ctl {

using operations::Proposal;

/// How long to wait for servers after a pass; nullopt: not at all.
using Timeout = std::optional<std::chrono::milliseconds>;

/// What `--wait` and `--timeout` take: a duration; "": the default of two minutes.
operations::Result<std::chrono::milliseconds> parse_timeout(const std::string& text);

/// Adds `--wait[=DURATION]` to a verb. `given` receives the value; nullopt if the option was not given.
void add_wait_option(Command& verb, const std::shared_ptr<Timeout>& timeout);

/// Makes the host follow the source and prints every step until what is of concern has settled. Done, or
/// Refused if something of concern failed, or what the trouble of the source deserves; with patience,
/// TimedOut when a server does not get ready. `state`: what the servers of concern should come to; if
/// something that takes a person keeps one from it, that is an error, said in place of what waits.
Result<Exit> reconcile(Session& session, const Timeout& timeout, const operations::Concern& concern = {},
                       std::optional<RunState> state = {});

/// The same without output, for a verb that prints a document of its own.
Result<Exit> follow_quietly(Session& session);

/// The same, about these servers, for what a person asked of an overlay; without any there is nothing to do.
Result<Exit> reconcile_servers(Session& session, const Timeout& timeout,
                               const std::vector<std::string>& servers);

/// Makes an edit, prints its effects as `server/comp1 created`, and makes the host follow.
using Make = std::function<operations::Result<Proposal>()>;
Result<Exit> edit_and_reconcile(Session& session, const Make& make, const Timeout& timeout);
/// The same for an edit of single servers, which only waits for those.
Result<Exit> edit_servers_and_reconcile(Session& session, const Make& make, const Timeout& timeout,
                                        std::optional<RunState> state = {});
/// `server/comp1 restart canceled`, of each whose request was withdrawn. `what`: "restart".
Result<Exit> tell_canceled(const operations::Result<std::vector<std::string>>& servers, const char* what);
void tell_effects(const Session& session, const Proposal& proposal, const std::string& suffix = {});

}  // namespace left4me::ctl
