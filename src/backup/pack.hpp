#pragma once

#include <expected>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace left4me::backup {

/// A file or a directory with everything in it, and its path in the backup.
struct Root {
    std::string path;
    std::filesystem::path from;
};

struct Packing {
    std::string about;        ///< the text of the first entry
    std::vector<Root> roots;  ///< in this order; those that are not there are left out
    /// Called before the first root of servers_section, or at the end.
    std::function<void()> rest_is_servers = [] {};
    /// Called with each file that is left out, and why.
    std::function<void(const std::string&)> left_out = [](const std::string&) {};
};

/// Writes a backup to `out`. Follows no link and enters no other mount. Files may change meanwhile: a file
/// gets the size that it has when it is opened.
std::expected<void, std::string> pack(const Packing& packing, int out);

}  // namespace left4me::backup
