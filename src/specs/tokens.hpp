#pragma once

#include <cstddef>
#include <string_view>

namespace left4me {

/// The position after an anchor or a tag, which may precede a value.
std::size_t behind_properties(std::string_view text, std::size_t at);

/// The position after a quoted text that begins at `at`; npos if it is not closed.
std::size_t behind_quotes(std::string_view text, std::size_t at);

}  // namespace left4me
