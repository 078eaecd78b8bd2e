#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <vector>

namespace left4me {

/// The names that a path consists of, without empty ones and ".".
inline std::vector<std::string_view> path_names(std::string_view path) {
    std::vector<std::string_view> names;
    while (!path.empty()) {
        const std::size_t slash = std::min(path.find('/'), path.size());
        const std::string_view name = path.substr(0, slash);
        path.remove_prefix(std::min(slash + 1, path.size()));
        if (!name.empty() && name != ".") names.push_back(name);
    }
    return names;
}

}  // namespace left4me
