#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "specs/rule.hpp"

namespace left4me {

/// What is wrong with a text; the field's path is put in front of it by whoever knows it.
struct Complaint {
    Rule rule = Rule::Other;
    std::string message;
    std::size_t offset = 0;  ///< within the text
};
using Complaints = std::vector<Complaint>;

}  // namespace left4me
