#pragma once

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

namespace left4me::test {

/// Gives this process a mount namespace of its own, in which no other program mounts or keeps anything. False
/// without root.
inline bool enter_own_mounts() {
    return ::geteuid() == 0 && ::unshare(CLONE_NEWNS) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
}

}  // namespace left4me::test
