#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "specs/fields.hpp"

namespace left4me {

/// "text", "list of names of Overlays", "number from 1024 to 65535", …: the values that a field takes, for
/// people.
std::string type_description(const Field& field);

/// Further constraints of a field, one sentence each: limits, allowed values, uniqueness.
std::vector<std::string> constraint_descriptions(const Field& field);

/// Whether the field has subfields that a path can continue to.
bool has_named_children(const Field& field);

/// A JSON string or pattern with its quotes.
std::string json_quoted(std::string_view text);

}  // namespace left4me
