#pragma once

#include <map>
#include <string>

#include "l4d2ctl/session.hpp"
#include "operations/conflicts.hpp"

namespace left4me::ctl {

/// Warns on stderr of overlays that are in each other's way, as far as they are built.
void warn_of_conflicts(const Session& session, const std::map<std::string, OverlaySource>& sources,
                       const std::map<std::string, operations::OverlayStack>& stacks);

}  // namespace left4me::ctl
