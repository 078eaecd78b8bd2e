#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "specs/writable.hpp"

namespace left4me {

/// Files that a running game wrote but may not keep, as far as they hide a file of its layers or are loaded
/// as code.
struct Shadows {
    std::size_t count = 0;
    bool more = false;               ///< the scan stopped before it saw everything
    std::vector<std::string> names;  ///< the first of them, relative to the game's root; chosen by the game
};

/// Scans `runtime/NAME/upper` with the caller's permissions and changes nothing. `state` is the state
/// directory, `layers` are the server's lower layers beneath it. What cannot be opened counts as hidden. A
/// directory that the game removed and recreated hides more files than can be counted here. If a rendered
/// file is among them, that is noticed, because the merged tree shows another file. Scans at most
/// max_looked_at entries and follows no link.
Shadows find_shadows(int state, const std::string& server, const Writable& writable,
                     const std::vector<std::string>& layers);

inline constexpr std::size_t max_looked_at = 4096;

}  // namespace left4me
