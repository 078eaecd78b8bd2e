#pragma once

#include <string>
#include <vector>

#include "l4d2ctl/exit.hpp"
#include "specs/load.hpp"

namespace left4me::ctl {

/// The bytes of everything that `-f` names: files, directories (with everything beneath them), `-` for
/// standard input. Nothing is parsed, because this is called while still root.
Result<std::vector<SourceFile>> read_inputs(const std::vector<std::string>& names);

}  // namespace left4me::ctl
