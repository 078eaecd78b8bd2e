#pragma once

#include <expected>

namespace left4me {

/// What this process can do from now on, however its code is taken over: seccomp(2), inherited by children.
/// What is not allowed fails with EPERM. Cannot be undone.
enum class Confinement {
    NoNetwork,     ///< no new sockets
    ParseOnly,     ///< reads, writes and seeks in files that are open, and takes memory: no file, process or
                   ///< socket
    BoundSockets,  ///< the same; and sends and receives on the sockets that it has, waits, and opens, renames
                   ///< and closes files
};

/// The error is an errno.
std::expected<void, int> confine(Confinement confinement);

}  // namespace left4me
