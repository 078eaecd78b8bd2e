#pragma once

#include <linux/filter.h>

#include <vector>

#include "privileged/sandbox/place.hpp"

namespace left4me::sandbox {

/// One seccomp program for both ABIs that a game uses, x86_64 and i386; other ABIs kill the process.
std::vector<sock_filter> filter_program();

/// Takes everything else than `known_calls()` away for good. The descriptor answers the calls that the filter
/// hands over (seccomp_unotify(2)); without somebody who reads it they fail with ENOSYS.
Result<Fd> forbid_calls();

}  // namespace left4me::sandbox
