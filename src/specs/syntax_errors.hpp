#pragma once

#include <string_view>

#include "specs/yaml.hpp"

namespace left4me::yaml {

/// Converts yaml-cpp's syntax errors into messages that name the remedy.
Problem syntax_problem(std::string_view text, const Mark& mark, std::string_view message);

}  // namespace left4me::yaml
