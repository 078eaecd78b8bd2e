#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace left4me {

inline constexpr std::string_view dscp_form = "CS0 to CS7, AF11 to AF43, EF, VA or LE, or a number";
inline constexpr std::string_view dscp_examples = "EF, CS4 or 46";

/// A name, or any number: a differentiated services code point has six bits (RFC 2474, 2597, 3246, 5865,
/// 8622). The names are those of the RFCs (VA: VOICE-ADMIT), in upper or lower case.
std::optional<std::int64_t> parse_dscp(std::string_view text);

/// The name of such a number, if it has one: "46" is "EF".
std::string dscp_text(std::string_view number);

}  // namespace left4me
