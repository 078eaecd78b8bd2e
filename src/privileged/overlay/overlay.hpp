#pragma once

#include <chrono>
#include <string>

#include "privileged/overlay/failure.hpp"
#include "privileged/overlay/mounting.hpp"
#include "privileged/overlay/runtime.hpp"

namespace left4me::overlay {

/// Everything that the program has compiled in, and a test brings along.
struct Site {
    std::string state = "/var/lib/left4me";
    Owner owner;
    /// How long an umount waits for the last process to let go.
    std::chrono::milliseconds patience{5000};
};

/// Failure::Usage unless it is a name that a server can have. The two verbs check it too.
Result<> check_name(const std::string& server);

/// Mounts the server's current rendering at `runtime/NAME/merged`. Mounted already with this stack: done.
/// With another stack, or something else there: unmounted first, because no mount can change its layers.
Result<> mount_server(const Site& site, const std::string& server, Way way);

/// Unmounts everything at `runtime/NAME/merged`. Nothing there: done. Never lazily: a lazy umount leaves the
/// old overlay alive, writing to an upper directory that the next mount would share.
Result<> umount_server(const Site& site, const std::string& server);

}  // namespace left4me::overlay
