#pragma once

#include "privileged/overlay/failure.hpp"
#include "privileged/overlay/runtime.hpp"
#include "privileged/overlay/stack.hpp"

namespace left4me::overlay {

/// The two ways to mount an overlay.
enum class MountApi {
    Context,  ///< fsopen(2), layer by layer: up to 500 of them. Linux 6.8 and later.
    Options,  ///< mount(2), all layers in one string of at most 4095 bytes. Any Linux.
};

/// The better way that the running kernel supports.
MountApi best_mount_api();

/// Mounts `stack` at the runtime directory's `merged`. Either way, names are resolved only through
/// PinnedNames.
Result<> mount_stack(const Stack& stack, const Runtime& runtime, MountApi api);

}  // namespace left4me::overlay
