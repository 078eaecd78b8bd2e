#pragma once

#include <string>
#include <vector>

#include "l4d2ctl/exit.hpp"
#include "specs/load.hpp"

namespace left4me::ctl {

/// The bytes of everything `-f` named: files, directories (with all that is beneath them), `-` for standard
/// input. Nothing is parsed: it is called while still root.
Result<std::vector<SourceFile>> read_inputs(const std::vector<std::string>& names);

}  // namespace left4me::ctl
