#pragma once

#include <optional>
#include <string_view>

namespace left4me {

enum class Verb {
    // What changes the host.
    Build,        ///< write an inline overlay's generation; of all others, start the unit that builds it
    Cancel,       ///< stop that unit
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
std::optional<Verb> parse_verb(std::string_view text);

/// Whether the verb changes the host (Hold and Report do not).
constexpr bool is_effect(Verb verb) { return verb != Verb::Hold && verb != Verb::Report; }

/// Whether the verb ends when a job of systemd ends, which may take as long as a game likes. All other verbs
/// change files, or links that PID 1 reads, and end by themselves.
constexpr bool waits_for_unit(Verb verb) {
    return verb == Verb::Start || verb == Verb::Stop || verb == Verb::Restart || verb == Verb::Attach ||
           verb == Verb::Cancel;
}

}  // namespace left4me
