#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "privileged/overlay/failure.hpp"
#include "privileged/overlay/runtime.hpp"

namespace left4me::overlay {

/// What a start moved out of a server's upper directory.
struct SetAside {
    std::size_t count = 0;           ///< files, and directories with all their content
    std::vector<std::string> names;  ///< the first of them, relative to the game's root, safe for a terminal
    std::size_t set = 0;             ///< they are now in `runtime/NAME/removed/SET`
};

/// Moves everything that the game wrote but may not keep out of the upper directory: whatever no pattern of
/// `writable` covers, and anything in place of a rendered file. It goes to `runtime/NAME/removed/SET`, owned
/// by root; the newest max_sets are kept. `runtime/NAME/set-aside` describes what was moved. Parent
/// directories of kept paths become transparent again: they hide nothing in the layers beneath them. The
/// overlay must not be mounted, and `runtime` must be locked. Follows no link, enters no other mount, and
/// does not read directories that are kept or moved.
Result<SetAside> set_aside(const Runtime& runtime, const std::vector<std::string>& writable, Owner owner);

/// Whether set_aside() would move nothing.
Result<bool> is_clean(const Runtime& runtime, const std::vector<std::string>& writable, Owner owner);

inline constexpr std::size_t max_sets = 8;

}  // namespace left4me::overlay
