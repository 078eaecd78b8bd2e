#pragma once

#include <string>
#include <vector>

#include "specs/rule.hpp"

namespace left4me {

/// A position in a manifest. Lines and columns count from 1; 0 means "the file as a whole".
struct Location {
    std::string file;
    int line = 0;
    int column = 0;

    auto operator<=>(const Location&) const = default;
};

/// One error in a manifest. The message contains the position and the remedy.
struct Diagnostic {
    Location where;
    std::string message;
    Rule rule = Rule::Other;

    auto operator<=>(const Diagnostic&) const = default;
};

using Diagnostics = std::vector<Diagnostic>;

/// `file:line:column: message`, in the format of compilers, so that editors can jump there.
std::string to_string(const Diagnostic& diagnostic);

/// One line per diagnostic, in the order of files and lines.
std::string to_string(const Diagnostics& diagnostics);

}  // namespace left4me
