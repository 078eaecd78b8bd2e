#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "privileged/overlay/failure.hpp"
#include "privileged/overlay/game.hpp"
#include "privileged/overlay/mounting.hpp"
#include "privileged/overlay/runtime.hpp"
#include "privileged/overlay/scrub.hpp"

namespace left4me::overlay {

/// Settings that are compiled into the program and replaced by tests.
struct OverlaySettings {
    std::string state = "/var/lib/left4me";
    Owner owner;
    /// How long an umount waits for the last process to release the mount.
    std::chrono::milliseconds timeout{5000};
    /// Called if a mount set files aside.
    std::function<void(const SetAside&)> tell = {};
};

/// Failure::Usage unless it is a valid server name. The verbs check it too.
Result<> check_name(const std::string& server);

/// Mounts the server's current rendering at `runtime/NAME/merged`, after setting aside files that the game
/// wrote but may not keep. If this stack is mounted already and there is nothing to set aside, does nothing.
/// If something else is mounted there, unmounts it first, because the layers of a mount cannot change.
Result<> mount_server(const OverlaySettings& settings, const std::string& server, MountApi api);

enum class Attached { Done, WasMounted, NotRunning };

/// Mounts at `runtime/NAME/merged` what the running game still has there in its own mount namespace, after
/// somebody unmounted it on the host. The game is not affected. If something is mounted there, it stays; a
/// stack that differs from `runtime/NAME/rendering` is unmounted again and refused. The game may exit at any
/// moment. Then nothing stays mounted, because its unit's own umount waits for this lock.
Result<Attached> attach_server(const OverlaySettings& settings, const std::string& server,
                               const FindGame& find);

/// Unmounts everything at `runtime/NAME/merged`; succeeds if nothing is mounted. Never unmounts lazily: a
/// lazy umount would keep the old overlay alive, writing to an upper directory that the next mount shares.
Result<> umount_server(const OverlaySettings& settings, const std::string& server);

}  // namespace left4me::overlay
