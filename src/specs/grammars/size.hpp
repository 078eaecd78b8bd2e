#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace left4me {

inline constexpr std::string_view size_form = "a number of bytes, or one with Ki, Mi, Gi, Ti or Pi";
inline constexpr std::string_view size_examples = "1048576, 512Mi or 2Gi";

/// Bytes: `1048576`, `512Ki`, `2Gi`. Units are powers of 1024, as Kubernetes and systemd have them. nullopt
/// also for what does not fit into 64 bits.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// In the largest unit that leaves no remainder; parse_size() reads it.
std::string size_text(std::uint64_t bytes);

}  // namespace left4me
