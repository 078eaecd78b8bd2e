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

/// Everything that the program has compiled in, and a test brings along.
struct Site {
    std::string state = "/var/lib/left4me";
    Owner owner;
    /// How long an umount waits for the last process to let go.
    std::chrono::milliseconds patience{5000};
    /// Hears what a mount set aside, if it was anything.
    std::function<void(const SetAside&)> tell = {};
};

/// Failure::Usage unless it is a name that a server can have. The verbs check it too.
Result<> check_name(const std::string& server);

/// Mounts the server's current rendering at `runtime/NAME/merged`, after setting aside what the game wrote
/// and may not keep. Mounted already with this stack, and nothing to set aside: done. With another stack, or
/// something else there: unmounted first, because no mount can change its layers.
Result<> mount_server(const Site& site, const std::string& server, Way way);

enum class Attached { Done, WasMounted, NotRunning };

/// Mounts at `runtime/NAME/merged` what the running game still has there, in its own mount namespace, after
/// somebody unmounted it on the host. The game notices nothing. Whatever is mounted there already stays; a
/// stack that is not the one of `runtime/NAME/rendering` is unmounted again and refused. The game may end at
/// any moment: then nothing stays mounted, because its unit's own umount waits for this one's lock.
Result<Attached> attach_server(const Site& site, const std::string& server, const FindGame& find);

/// Unmounts everything at `runtime/NAME/merged`. Nothing there: done. Never lazily: a lazy umount leaves the
/// old overlay alive, writing to an upper directory that the next mount would share.
Result<> umount_server(const Site& site, const std::string& server);

}  // namespace left4me::overlay
