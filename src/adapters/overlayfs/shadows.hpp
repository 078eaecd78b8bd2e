#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "specs/writable.hpp"

namespace left4me {

/// What a running game wrote and may not keep, as far as it hides a file of its layers or is loaded as code.
struct Shadows {
    std::size_t count = 0;
    bool more = false;               ///< the look ended before everything was seen
    std::vector<std::string> names;  ///< the first of them, relative to the game's root; the game chose them
};

/// Looks into `runtime/NAME/upper` with the rights of the caller and changes nothing. `state` is the state
/// directory, `layers` are the server's lower layers beneath it. What cannot be opened counts as hidden. A
/// directory that the game removed and made anew hides more files than can be counted here. If a rendered
/// file is among them, that is noticed: the merged tree shows another file. At most max_looked_at entries are
/// looked at, and no link is followed.
Shadows find_shadows(int state, const std::string& server, const Writable& writable,
                     const std::vector<std::string>& layers);

inline constexpr std::size_t max_looked_at = 4096;

}  // namespace left4me
