#pragma once

#include <string>
#include <string_view>

#include "specs/fields.hpp"

namespace left4me {

/// The regular expression of a field's text, in what ECMA 262, Python and PCRE have in common; "" when any
/// text will do. It accepts what check_text() accepts, but for lengths and control characters.
std::string pattern_of(const Field& field);

/// Matches the control characters that a text of this type must not contain.
std::string_view control_characters_of(Type type);

}  // namespace left4me
