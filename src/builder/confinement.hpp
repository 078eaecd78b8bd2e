#pragma once

#include "builder/result.hpp"

namespace left4me::builder {

/// What this process can do from now on, however its code is taken over: seccomp(2), inherited by children.
/// What is not allowed fails with EPERM. Cannot be undone.
enum class Confinement {
    NoNetwork,  ///< no new sockets
    ParseOnly,  ///< reads, writes and seeks in files that are open, and takes memory: no file, process or
                ///< socket
};

Built<void> confine(Confinement confinement);

}  // namespace left4me::builder
