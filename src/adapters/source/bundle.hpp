#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/load.hpp"

namespace left4me {

/// Several texts of any bytes in one file, so that they can be replaced by one rename.
struct Bundle {
    std::string title;  ///< one line
    std::vector<SourceFile> entries;
};

std::string write_bundle(const Bundle& bundle);
/// nullopt: damaged or cut short.
std::optional<Bundle> read_bundle(std::string_view text);

}  // namespace left4me
