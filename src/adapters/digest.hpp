#pragma once

#include <cstddef>
#include <string_view>

namespace left4me {

inline constexpr std::size_t digest_length = 16;

/// True for the name of a complete artifact or rendering: 16 lower-case hexadecimal digits. Everything else
/// next to them (unfinished builds begin with a dot) is not one.
constexpr bool is_digest(std::string_view name) {
    if (name.size() != digest_length) return false;
    for (const char c : name) {
        if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return true;
}

}  // namespace left4me
