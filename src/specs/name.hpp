#pragma once

#include <cstddef>
#include <string_view>

namespace left4me {

/// The longest name of an object; short enough for a path, a unit name and a mount option.
inline constexpr std::size_t max_name_length = 32;

/// True for 1 to 32 characters of `[a-z0-9]` with `-` allowed inside, never first or last. The only rule for
/// names, shared by the parser and the root programs.
constexpr bool is_valid_name(std::string_view name) {
    if (name.empty() || name.size() > max_name_length) return false;
    if (name.front() == '-' || name.back() == '-') return false;
    for (const char c : name) {
        const bool allowed = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
        if (!allowed) return false;
    }
    return true;
}

}  // namespace left4me
