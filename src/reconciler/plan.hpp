#pragma once

#include <compare>
#include <string>
#include <vector>

#include "reconciler/desired.hpp"
#include "reconciler/observed.hpp"

namespace left4me {

enum class Verb {
    // What changes the host.
    Build,        ///< copy an overlay's source into its wanted generation
    Render,       ///< write a server's wanted rendering and point `current` at it
    Disable,      ///< not started at boot any more
    Stop,         ///< inactive and unmounted
    ResetFailed,  ///< forget a failure and the start-limit counter
    Enable,       ///< started at boot; takes a mask away
    Start,
    Restart,  ///< stop, umount, mount the current rendering, start
    Attach,  ///< mount again what was unmounted by hand and the running game still has; nobody is interrupted
    Purge,   ///< remove runtime/NAME: what the server wrote
    Forget,  ///< remove instances/NAME: from then on the server is not ours
    Collect,  ///< remove a generation that nothing uses
    // What is only said.
    Hold,    ///< a difference that waits: for a rollout, a person, a source
    Report,  ///< a difference that left4me must not or shall not correct
};

const char* to_string(Verb verb);

/// Whether the verb changes the host (Hold and Report do not).
constexpr bool is_effect(Verb verb) { return verb != Verb::Hold && verb != Verb::Report; }

enum class SubjectKind { Server, Overlay };

struct Subject {
    SubjectKind kind = SubjectKind::Server;
    std::string name;

    auto operator<=>(const Subject&) const = default;
};

/// `server/comp1`, `overlay/tickrate`.
std::string to_string(const Subject& subject);

/// Index of an action within its plan.
using ActionIndex = std::size_t;

/// Action::code of a Report: the game put files in front of its layers.
inline constexpr const char* shadowed_code = "Shadowed";

/// One step, with the sentence that says why it is taken, written at the branch that decided it.
struct Action {
    Verb verb = Verb::Report;
    Subject subject;
    std::string reason;
    /// Build, Render, Collect: the generation (Collect: its path relative to the state directory).
    std::string generation;
    /// Actions that must have ended well before this one may begin. Always smaller indices: data never turns
    /// back.
    std::vector<ActionIndex> after;
    /// Hold and Report: the kind of wait in CamelCase, for programs and conditions. Hold: "RolloutPending",
    /// "ApprovalRequired", "NotInstalled", "PortInUse", "SourceUnavailable", "BackOff", "Suspended". Report:
    /// "Drift", "Orphan", "Shadowed", "SourceUnavailable". Effects: empty.
    std::string code;
    /// It corrects what nobody asked for in the manifests.
    bool drift = false;
};

/// Ordered so that carrying the actions out one after another is always right; `after` says what may overlap.
struct Plan {
    std::string revision;
    std::vector<Action> actions;
    std::size_t agreeing_servers = 0;   ///< desired servers about which there is nothing to say
    std::size_t differing_servers = 0;  ///< servers, desired or not, with at least one action

    bool empty() const { return actions.empty(); }
};

/// The one place where decisions are made. Pure: no I/O, no clock, no memory but its arguments.
/// A converged host gives an empty plan.
Plan plan(const Desired& desired, const Observed& observed);

/// Tells whether a desired server's manifest, blueprint or layers changed since they were last applied (then
/// a difference is a change, not drift).
std::string fingerprint(const DesiredServer& server, const WantedRendering& wanted);

}  // namespace left4me
