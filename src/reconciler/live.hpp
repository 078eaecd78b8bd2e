#pragma once

#include "reconciler/observed.hpp"
#include "reconciler/target.hpp"

namespace left4me {

/// Whether a running game can be told of other cvars: it was started as the manifests say, and left4me knows
/// the password of its console. What others have comes with their next start.
inline bool can_be_told(const TargetServer& target, const ObservedServer& server) {
    return !target.spec->cvars.empty() && target.rendering && server.stack() &&
           *server.stack() == (*target.rendering)->layers() && server.unit.active == ActiveState::Active &&
           server.mounted_port && !server.console_rendering.empty();
}

/// It can be told, and has not said yet what it has.
inline bool awaits_cvars(const TargetServer& target, const ObservedServer& server) {
    const bool refuses = server.console && server.console->state == ObservedConsole::State::Refused;
    return can_be_told(target, server) && !server.cvars && !refuses;
}

}  // namespace left4me
