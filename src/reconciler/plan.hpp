#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reconciler/intent.hpp"
#include "reconciler/memory.hpp"
#include "reconciler/observed.hpp"
#include "reconciler/reason.hpp"
#include "reconciler/target.hpp"
#include "reconciler/verb.hpp"
#include "specs/kind.hpp"

namespace left4me {

struct Subject {
    Kind kind = Kind::Server;
    std::string name;

    auto operator<=>(const Subject&) const = default;
};

/// `server/comp1`, `overlay/tickrate`.
std::string to_string(const Subject& subject);

/// Index of an action within its plan.
using ActionIndex = std::size_t;

/// Whom to ask whether nobody plays, or whether the game hangs.
struct WhileEmpty {
    std::uint16_t port = 0;  ///< the game's, for queries and for its console
    /// ObservedServer::console_rendering; if not empty, the console must say so, too.
    std::string console_rendering;
    unsigned most = 0;  ///< as many players may be there
    /// It hangs, so that nobody can play: it must not answer, and neither must its console.
    bool hangs = false;

    bool operator==(const WhileEmpty&) const = default;
};

/// A command for a game's console.
struct ConsoleCommand {
    std::uint16_t port = 0;
    std::string console_rendering;  ///< as in WhileEmpty
    std::string text;               ///< one line
    std::string schedule_key = {};  ///< of the entry that asks for it; empty: none does
    Cvars cvars = {};               ///< of Set, instead of a text

    bool operator==(const ConsoleCommand&) const = default;
};

/// What an interruption of a server waits for.
enum class WaitsFor {
    Empty,      ///< nobody plays
    Window,     ///< of its rollout
    NextStart,  ///< whoever asks for it
    Turn,       ///< other servers come first
    Canary,     ///< another server proves the change first
    Person,     ///< an approval
};

struct Wait {
    WaitsFor what = WaitsFor::Empty;
    std::optional<TimePoint> latest = {};  ///< then it comes even though people play

    bool operator==(const Wait&) const = default;
};

/// One step, with its reason: a sentence written at the branch that made the decision.
struct Action {
    Verb verb = Verb::Report;
    Subject subject;
    std::string reason;
    /// Build, Render: the digest. Prune: the path relative to the state directory.
    std::string artifact;
    /// Actions that must succeed before this one may begin. Always smaller indices: there are no cycles.
    std::vector<ActionIndex> after;
    /// Of Hold and Report; other verbs have none.
    std::optional<HoldReason> code;
    /// It corrects a change that no manifest asked for.
    bool drift = false;
    /// What Build copies and what Render writes: an action carries everything that it needs.
    std::shared_ptr<const OverlaySource> source = {};
    std::shared_ptr<const TargetRendering> rendering = {};
    std::shared_ptr<const Tuning> tuning = {};  ///< of Tune
    std::string to_approve = {};  ///< HoldReason::ApprovalRequired: the revision that a person must approve
    std::string by = {};  ///< the person who asked for this very action; empty: it follows the manifests
    /// Of Restart, Stop and Command: the game must answer once more, immediately before, that nobody plays
    /// (or must not answer); otherwise the action fails as FailureKind::Occupied. Of Hold: it waits for that.
    std::optional<WhileEmpty> while_empty = {};
    std::optional<ConsoleCommand> console = {};  ///< of Warn, Command and Set
    std::optional<Wait> wait = {};               ///< of Hold: for as long, the players keep their server
};

/// Ordered so that executing the actions one after another is always correct; `after` shows which may
/// overlap.
struct Plan {
    std::string revision;
    std::vector<Action> actions;
    std::size_t agreeing_servers = 0;  ///< desired servers without any action
    /// Of the agreeing ones: systemd is starting them, or they have not stayed up for long enough to be
    /// Ready.
    std::size_t starting_servers = 0;
    std::size_t crashing_servers = 0;   ///< the same, of those that crash again and again
    std::size_t silent_servers = 0;     ///< the same, of those whose games do not answer
    std::size_t differing_servers = 0;  ///< servers, desired or not, with at least one action

    bool empty() const { return actions.empty(); }
};

/// "; 1 has only just started; 2 crash again and again": what agrees, but is not Ready. Empty if nothing is.
std::string unready_text(const Plan& plan);

/// The only place where decisions are made. Pure: no I/O, no clock, no state except its arguments. A
/// converged host gives an empty plan.
Plan plan(const Target& target, const Observed& observed, const Memory& memory, const Intent& intent);

}  // namespace left4me
