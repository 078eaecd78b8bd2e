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

/// To standard output; on a terminal only text and colours.
void print(const std::string& text);
/// To standard error; only text and colours.
void print_error(const std::string& message);

/// One invocation: the context of operations, the output, and the verb to run.
struct Session : operations::Context {
    Session() { notice = print_error; }

    Terminal out = Terminal::of(1);
    Terminal err = Terminal::of(2);
    bool served = false;                ///< for somebody else: opens no file that they name
    bool unattended = false;            ///< nobody is waiting: recent failures are retried when they are due
    std::string verb;                   ///< as typed: "apply"
    std::function<Result<Exit>()> run;  ///< set by the verb that was chosen
    std::deque<VerbShape> verbs;        ///< all verbs, for completion
};

/// Adds a verb: its description, the function to run, and an example that is shown after its options.
Command add_verb(CLI::App& app, Session& session, const std::string& name, const std::string& description,
                 const std::string& example, std::function<Result<Exit>()> run);

/// Drops root, then reads and parses the configuration. Every verb that parses anything begins with it. Bytes
/// that were passed to the verb itself must have been read before.
Result<void> drop_privileges_and_configure(Session& session, Access access);

/// For the one verb that works as root: keeps root, and trusts the configuration only if root owns it.
/// Another configuration than the host's is opened with the permissions of the sudo caller.
Result<void> enter_as_root(Session& session);

/// How it ends when all was done, but with another revision than the source's own: 3 for invalid manifests, 5
/// for a source that has vanished.
Exit exit_for(SourceErrorKind error_kind);

/// Reports on stderr why the source's newest revision is not in force.
void report_source_error(const ActiveRevision& in_force);
void report_source_error(const StepReport& report);

/// The same, above what only reads: the first of the errors, and how many more there are.
void tell_trouble_briefly(const ActiveRevision& in_force);

/// Warns on stderr of pins of the lock file that are not used.
void warn_of_stale_pins(const std::vector<StalePin>& stale);

/// How a verb begins that shows the host and nothing else: drop_privileges_and_configure(), observe(),
/// tell_trouble_briefly().
Result<operations::View> begin_reading(Session& session);

}  // namespace left4me::ctl
