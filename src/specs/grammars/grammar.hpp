#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "specs/fields.hpp"

namespace left4me {

/// How values of a type are written that are one word: for the check, messages, `explain`, the reference and
/// the schema.
struct Grammar {
    std::string_view noun;      ///< "duration"
    std::string_view form;      ///< "a number and one of s, m, h, d"
    std::string_view examples;  ///< "90s, 30m, 12h or 2d"; empty: a number needs none
    std::string_view pattern;   ///< as pattern_of(), for values of any size
    /// nullopt: `text` is not in the grammar. Else the number that Field::minimum and maximum limit (0 for a
    /// calendar, which has no order).
    std::optional<std::int64_t> (*read)(std::string_view text);
    std::string (*write)(std::int64_t value);
};

/// nullptr for types without a grammar of their own.
const Grammar* grammar_of(Type type);

/// "duration from 10s to 1d", "number from 8 to 1000".
std::string in_words(const Grammar& grammar, const Field& field);

/// Reports a text that is not in the grammar, or out of the field's range.
void check_word(const Grammar& grammar, const Field& field, std::string_view text, Violations& violations);

}  // namespace left4me
