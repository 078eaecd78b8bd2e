#pragma once

#include <cstdio>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "adapters/config/config.hpp"
#include "adapters/machine/machine.hpp"
#include "adapters/paths.hpp"
#include "adapters/source/revision.hpp"
#include "l4d2ctl/command.hpp"
#include "l4d2ctl/exit.hpp"
#include "l4d2ctl/privileges.hpp"
#include "l4d2ctl/terminal.hpp"
#include "reconciler/engine.hpp"

namespace left4me::ctl {

/// One invocation: where things are, who looks at the output, and what the verb is to do.
struct Session {
    Paths paths;
    std::string config_path = config_file;
    Config config;
    std::unique_ptr<Source> source;  ///< what the configuration says, once it has been read
    Authorship caller;               ///< the person at the keyboard
    Terminal out = Terminal::of(1);
    Terminal err = Terminal::of(2);
    bool unattended = false;            ///< nobody is waiting: what failed lately is tried when it is due
    std::string verb;                   ///< as typed: "apply", for messages and for who holds the lock
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

/// The revision that the host follows; see tell_trouble().
Result<InForce> read_source(Session& session);

/// What an exit code the trouble of a source deserves: 3 for invalid manifests, 5 for a source that has
/// vanished.
Exit exit_for(Trouble trouble);

Result<std::unique_ptr<Machine>> connect(const Session& session);

/// What one look at the host shows. Nothing is written.
struct Seen {
    left4me::Target target;
    Observed observed;
    Intent intent;
    Plan plan;      ///< what a pass would do now
    Status status;  ///< conditions as they are now, with the times that earlier passes have noted
    std::unique_ptr<Machine> machine;

    const Desired& desired() const { return *target.desired; }
};

Result<Seen> look_at(const Session& session, Desired desired);

/// Everything a reading verb shows: the revision in force, and how the host stands to it.
struct View : Seen {
    InForce in_force;
};

Result<View> look(Session& session);

/// Says on stderr why another revision than the source's own one is in force.
void tell_trouble(const InForce& in_force);

/// To standard output; on a terminal nothing but text and colours.
void print(const std::string& text);
/// To standard error, and nothing but text and colours.
void print_error(const std::string& message);

}  // namespace left4me::ctl
