#pragma once

#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include "specs/name.hpp"

namespace left4me::helper {

inline constexpr const char* runtime_directory = "/var/lib/left4me/runtime";

/// Servers beneath whose runtime directory anything is mounted in the host's (PID 1's) namespace.
inline std::set<std::string> mounted_servers() {
    std::set<std::string> servers;
    const std::string prefix = std::string(runtime_directory) + "/";
    std::ifstream mountinfo("/proc/1/mountinfo");
    for (std::string line; std::getline(mountinfo, line);) {
        std::istringstream fields(line);
        std::string skipped;
        std::string mount_point;
        fields >> skipped >> skipped >> skipped >> skipped >> mount_point;
        if (!mount_point.starts_with(prefix)) continue;
        const std::string name =
            mount_point.substr(prefix.size(), mount_point.find('/', prefix.size()) - prefix.size());
        if (is_valid_name(name)) servers.insert(name);
    }
    return servers;
}

}  // namespace left4me::helper
