#include "specs/diagnostic.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace left4me {

std::string to_string(const Diagnostic& diagnostic) {
    const Location& at = diagnostic.where;
    if (at.line == 0) return fmt::format("{}: {}", at.file, diagnostic.message);
    return fmt::format("{}:{}:{}: {}", at.file, at.line, at.column, diagnostic.message);
}

std::string to_string(const Diagnostics& diagnostics) {
    Diagnostics sorted = diagnostics;
    std::sort(sorted.begin(), sorted.end());
    std::string text;
    for (const Diagnostic& diagnostic : sorted) text += to_string(diagnostic) + "\n";
    return text;
}

}  // namespace left4me
