#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "privileged/overlay/failure.hpp"
#include "privileged/overlay/runtime.hpp"

namespace left4me::overlay {

/// What a start took out of a server's upper directory.
struct SetAside {
    std::size_t count = 0;           ///< files, and directories with all that is in them
    std::vector<std::string> names;  ///< the first of them, relative to the game's root, fit for a terminal
    std::size_t set = 0;             ///< they are in `runtime/NAME/removed/SET` now
};

/// Moves everything that the game wrote and may not keep out of the upper directory: what no pattern of
/// `writable` covers, and whatever is in the place of a rendered file. It goes to `runtime/NAME/removed/SET`,
/// which is root's; the newest max_sets are kept, and `runtime/NAME/set-aside` tells left4me what was moved.
/// Directories on the way to what is kept become transparent again: nothing hides what lies in the layers
/// beneath them. The overlay must not be mounted, and `runtime` is locked. Follows no link, enters no other
/// mount, and looks into nothing that is kept or moved.
Result<SetAside> set_aside(const Runtime& runtime, const std::vector<std::string>& writable, Owner owner);

/// Whether set_aside() would find nothing to move.
Result<bool> is_clean(const Runtime& runtime, const std::vector<std::string>& writable, Owner owner);

inline constexpr std::size_t max_sets = 8;

}  // namespace left4me::overlay
