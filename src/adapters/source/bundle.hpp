#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/load.hpp"

namespace left4me {

/// Several arbitrary texts in one file, so that one rename replaces them.
struct Bundle {
    std::string title;  ///< one line
    std::vector<SourceFile> entries;
};

std::string write_bundle(const Bundle& bundle);
/// nullopt: damaged or truncated.
std::optional<Bundle> read_bundle(std::string_view text);

}  // namespace left4me
