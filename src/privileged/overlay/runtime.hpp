#pragma once

#include <sys/types.h>

#include <string>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"

namespace left4me::overlay {

/// The owner of a server's upper directory: the game's user.
struct Owner {
    uid_t user = 0;
    gid_t group = 0;
};

/// `runtime/NAME`, locked. Only one mount or umount of a server may run at a time; otherwise the same upper
/// directory could be mounted twice (the kernel only warns, and the result is undefined). Root owns it, so
/// nobody else can replace upper, work or merged.
struct Runtime {
    std::string server;
    Fd directory;
    Fd upper, work, merged;

    std::string upper_name() const { return "runtime/" + server + "/upper"; }
    std::string work_name() const { return "runtime/" + server + "/work"; }

    bool is_mounted() const;
    /// Points `rendering` at the mounted rendering, atomically: the launcher reads server.env there.
    Result<> link_rendering(const std::string& digest) const;
};

/// The artifact that `rendering` in the directory runtime/NAME points at: what the server was last mounted
/// with.
Result<std::string> linked_rendering(int runtime, const std::string& server);

/// Creates what is missing, and waits for the lock.
Result<Runtime> make_runtime(int state, const std::string& server, Owner owner);

/// Only locks; the error's number is ENOENT if the server has no runtime directory.
Result<Runtime> open_runtime(int state, const std::string& server);

}  // namespace left4me::overlay
