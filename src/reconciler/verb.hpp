#pragma once

#include <optional>
#include <string_view>

namespace left4me {

enum class Verb {
    // Effects: they change the host.
    Tune,         ///< make left4me's drop-ins those of the target; systemd reads its unit files again
    Build,        ///< write an inline overlay's artifact; of all others, start the unit that builds it
    Cancel,       ///< stop that unit
    Refresh,      ///< move the pin of an overlay forward: what it gives is another revision
    Render,       ///< write a server's rendering and point `current` at it
    Revert,       ///< point a server's `current` at an earlier rendering
    Disable,      ///< not started at boot any more
    Stop,         ///< inactive and unmounted
    ResetFailed,  ///< clear a failure and the start-limit counter
    Enable,       ///< started at boot; removes a mask
    Start,
    Restart,   ///< stop, umount, mount the current rendering, start
    Attach,    ///< remount what was unmounted by hand and the running game still has; nobody is interrupted
    Purge,     ///< remove runtime/NAME: the files that the server wrote
    Unmanage,  ///< remove instances/NAME: left4me no longer manages the server
    Prune,     ///< remove an artifact or rendering that nothing uses
    Warn,      ///< tell the players in the game that it will be restarted
    Command,   ///< give the game's console a command that the schedule asks for
    Set,       ///< set cvars in the running game, and read them back
    // Reports: they change nothing.
    Hold,    ///< a difference that waits: for a rollout, a person, a source
    Report,  ///< a difference that left4me must not correct
};

const char* to_string(Verb verb);
std::optional<Verb> parse_verb(std::string_view text);

/// Whether the verb changes the host (Hold and Report do not).
constexpr bool is_effect(Verb verb) { return verb != Verb::Hold && verb != Verb::Report; }

/// Whether the verb ends when a job of systemd ends, or a game answers, which may take as long as it likes.
/// All other verbs change files, or links that PID 1 reads, and end by themselves.
constexpr bool waits_for_unit(Verb verb) {
    return verb == Verb::Start || verb == Verb::Stop || verb == Verb::Restart || verb == Verb::Attach ||
           verb == Verb::Cancel || verb == Verb::Refresh || verb == Verb::Warn || verb == Verb::Command ||
           verb == Verb::Set;
}

}  // namespace left4me
