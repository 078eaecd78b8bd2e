#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "specs/reporter.hpp"

namespace left4me {

/// The innermost of the declared roots that contains `path`; nullopt if none does.
std::optional<std::string> find_root(std::string_view path, const std::vector<std::string>& roots);

/// Reports an overlay's directory, archive or repository that is in none of the roots. left4me can read more
/// than the authors of manifests may, so a manifest must not be able to name any path. `root` is a valid
/// document.
void check_root(const yaml::Node& root, const std::vector<std::string>& roots, Reporter& reporter);

}  // namespace left4me
