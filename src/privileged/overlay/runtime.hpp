#pragma once

#include <sys/types.h>

#include <string>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"

namespace left4me::overlay {

/// Who writes into a server's upper directory: the game's user.
struct Owner {
    uid_t user = 0;
    gid_t group = 0;
};

/// `runtime/NAME`, locked: one mount or umount of a server at a time, or the same upper directory could be
/// mounted twice (the kernel only warns, and calls what follows undefined). It belongs to root, so nobody
/// else can put something in the place of upper, work or merged.
struct Runtime {
    std::string server;
    Fd directory;
    Fd upper, work, merged;

    std::string upper_name() const { return "runtime/" + server + "/upper"; }
    std::string work_name() const { return "runtime/" + server + "/work"; }

    bool is_mounted() const;
    /// Points `rendering` at the rendering that is mounted, at once: the launcher reads server.env there.
    Result<> link_rendering(const std::string& generation) const;
};

/// The generation that `rendering` in the directory runtime/NAME points at: what the server was last mounted
/// with.
Result<std::string> linked_rendering(int runtime, const std::string& server);

/// Makes what is missing, and waits for the lock.
Result<Runtime> make_runtime(int state, const std::string& server, Owner owner);

/// Only locks; ENOENT in the error's number if the server has no runtime.
Result<Runtime> open_runtime(int state, const std::string& server);

}  // namespace left4me::overlay
