#pragma once

#include <string>

namespace left4me::ctl {

/// Asks the person at the terminal, on standard error. Only `y` and `yes` agree.
bool agrees(const std::string& question);

}  // namespace left4me::ctl
