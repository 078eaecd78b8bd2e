#pragma once

#include <cstddef>
#include <string_view>

namespace left4me {

/// Behind an anchor or a tag, which may stand in front of a value.
std::size_t behind_properties(std::string_view text, std::size_t at);

/// Behind a quoted text that begins at `at`; npos if it is not closed.
std::size_t behind_quotes(std::string_view text, std::size_t at);

}  // namespace left4me
