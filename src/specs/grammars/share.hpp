#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace left4me {

/// A part of some servers: so many, or so many percent of them.
struct Share {
    unsigned value = 1;
    bool is_percentage = false;

    /// At least one, so that there is no waiting for ever; of a percentage, rounded down.
    std::size_t of(std::size_t servers) const;

    bool operator==(const Share&) const = default;
};

inline constexpr std::string_view share_form = "a whole number, or one from 1 to 100 and a '%'";
inline constexpr std::string_view share_examples = "2 or 25%";

/// `1` to `9999`, `1%` to `100%`.
std::optional<Share> parse_share(std::string_view text);

}  // namespace left4me
