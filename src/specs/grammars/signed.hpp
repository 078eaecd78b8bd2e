#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace left4me {

/// A plain decimal number, perhaps with a `-` before it: no `+`, no leading zero, not `-0`.
std::optional<std::int64_t> parse_signed(std::string_view text);

}  // namespace left4me
