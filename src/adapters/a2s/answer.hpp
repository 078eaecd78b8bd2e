#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "adapters/a2s/info.hpp"
#include "adapters/a2s/players.hpp"

namespace left4me::a2s {

using Answer = std::variant<Challenge, Info, Players>;

/// nullopt: anything but one whole answer: truncated, larger than largest_answer, one of its parts
/// (split.hpp), or of another kind. What follows the last known field is ignored.
std::optional<Answer> parse_answer(std::string_view bytes);

/// For tests.
std::string encode(const Challenge& challenge);

}  // namespace left4me::a2s
