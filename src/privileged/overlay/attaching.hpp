#pragma once

#include <string>

#include "adapters/fd.hpp"
#include "privileged/overlay/failure.hpp"

namespace left4me::overlay {

/// Clones the overlay that is mounted at `path` (absolute, without symlinks) in another mount namespace. The
/// clone is the same file system and is not attached anywhere yet.
Result<Fd> clone_overlay(int mount_namespace, const std::string& path);

/// Attaches it at a directory of this namespace.
Result<> attach_overlay(int clone, int directory);

}  // namespace left4me::overlay
