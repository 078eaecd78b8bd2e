#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "specs/rule.hpp"

namespace left4me {

/// What is wrong with a text; the field's path is put in front of it by whoever knows it.
struct Violation {
    Rule rule = Rule::Other;
    std::string message;
    std::size_t offset = 0;  ///< within the text
};
using Violations = std::vector<Violation>;

}  // namespace left4me
