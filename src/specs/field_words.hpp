#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specs/fields.hpp"

namespace left4me {

/// "text", "list of names of Overlays", "number from 1024 to 65535", …: what a field takes, for people.
std::string type_in_words(const Field& field);

/// What a field must keep besides its type, one sentence each: limits, allowed values, uniqueness.
std::vector<std::string> constraints_in_words(const Field& field);

/// Whether the field has fields of its own that a path can go on to.
bool has_named_children(const Field& field);

/// Fields that this version supports; the others are known only to be refused with a better message.
std::vector<const Field*> supported_children(const Field& field);

/// A JSON string or pattern with its quotes.
std::string json_quoted(std::string_view text);

}  // namespace left4me
