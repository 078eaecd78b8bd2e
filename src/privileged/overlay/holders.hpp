#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace left4me::overlay {

/// The processes that use something at or beneath `path`, as "srcds_linux (pid 4711: working directory)".
/// Checks working directories, roots, programs, open files and mappings in every mount namespace, and names
/// at most `limit` processes.
std::vector<std::string> find_holders(const std::string& path, std::size_t limit = 8);

}  // namespace left4me::overlay
