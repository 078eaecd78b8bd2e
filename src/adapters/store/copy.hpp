#pragma once

#include <map>
#include <string>

#include "adapters/store/files.hpp"

namespace left4me::store {

/// Modes in an artifact: the game copies up the files that it changes, and the kernel then checks whether the
/// group may write.
inline constexpr mode_t overlay_directory_mode = 0775;
inline constexpr mode_t overlay_file_mode = 0664;
inline constexpr mode_t overlay_program_mode = 0775;

/// Writes the files of a manifest into the empty directory `destination`.
Done write_inline(const std::map<std::string, std::string>& files, int destination);

}  // namespace left4me::store
