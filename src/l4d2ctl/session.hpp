#pragma once

#include <cstdio>
#include <deque>
#include <functional>
#include <string>

#include "l4d2ctl/command.hpp"
#include "l4d2ctl/exit.hpp"
#include "l4d2ctl/privileges.hpp"
#include "l4d2ctl/terminal.hpp"
#include "operations/context.hpp"
#include "operations/view.hpp"
#include "reconciler/report.hpp"

namespace left4me::ctl {

using operations::View;

/// To standard output; on a terminal nothing but text and colours.
void print(const std::string& text);
/// To standard error, and nothing but text and colours.
void print_error(const std::string& message);

/// One invocation: what operations need to know, who looks at the output, and what the verb is to do.
struct Session : operations::Context {
    Session() { notice = print_error; }

    Terminal out = Terminal::of(1);
    Terminal err = Terminal::of(2);
    bool served = false;                ///< for somebody else: opens no file that they name
    bool unattended = false;            ///< nobody is waiting: what failed lately is tried when it is due
    std::string verb;                   ///< as typed: "apply"
    std::function<Result<Exit>()> run;  ///< set by the verb that was chosen
    std::deque<VerbShape> verbs;        ///< all that there are, for completion
};

/// Adds a verb: its description, what it does when it is chosen, and an example that stands below its
/// options.
Command add_verb(CLI::App& app, Session& session, const std::string& name, const std::string& description,
                 const std::string& example, std::function<Result<Exit>()> run);

/// Gives up root, then reads and parses the configuration. Every verb that parses anything begins
/// with it. Bytes that the verb itself was given must have been read before.
Result<void> enter(Session& session, Access access);

/// For the one verb that works as root: nothing is given up, and the configuration is believed only if it is
/// root's own. Another one than the host's is opened with the rights of whoever asked for sudo.
Result<void> enter_as_root(Session& session);

/// How it ends when all was done, but with another revision than the source's own: 3 for invalid manifests, 5
/// for a source that has vanished.
Exit exit_for(Trouble trouble);

/// Says on stderr why another revision than the source's own one is in force.
void tell_trouble(const InForce& in_force);
void tell_trouble(const StepReport& report);

/// The same, above what only reads: the first of the errors, and how many more there are.
void tell_trouble_briefly(const InForce& in_force);

}  // namespace left4me::ctl
