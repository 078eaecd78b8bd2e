#pragma once

#include <string>
#include <vector>

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// Whose members may push, unless init-repo is told otherwise.
inline constexpr const char* operators_group = "left4me-operators";

/// Creates or repairs the repository that the configuration names, as root; a line for each thing that was
/// changed.
Result<std::vector<std::string>> lay_out_repository(const Session& session, const std::string& group);

}  // namespace left4me::ctl
