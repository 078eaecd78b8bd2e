#pragma once

#include <sys/prctl.h>

namespace left4me {

/// Hides the memory, descriptors and root directory of this process from others of the same user, ptrace(2):
/// builds run as left4me, too, and must not get at secrets by way of /proc.
inline void deny_tracing() {
    constexpr unsigned long unused = 0;
    (void)::prctl(PR_SET_DUMPABLE, 0, unused, unused, unused);
}

}  // namespace left4me
