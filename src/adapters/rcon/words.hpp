#pragma once

#include <algorithm>
#include <string_view>
#include <vector>

namespace left4me::rcon {

/// The words of a line that a game printed. The line must outlive them.
inline std::vector<std::string_view> words_of(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    std::vector<std::string_view> words;
    while (!line.empty()) {
        const std::size_t end = std::min(line.find(' '), line.size());
        if (end > 0) words.push_back(line.substr(0, end));
        line.remove_prefix(std::min(end + 1, line.size()));
    }
    return words;
}

}  // namespace left4me::rcon
