#pragma once

#include <string>
#include <vector>

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// What the shells' completions ask (`l4d2ctl __complete WORD…`; the last word is the one at the cursor,
/// perhaps empty). Prints one candidate on each line, a tab and its description behind it; the line `:files`
/// alone means that the shell knows better. Names come from the manifests: no host is asked. Trouble means
/// fewer candidates, never a message.
void complete(Session& session, const std::vector<std::string>& words);

}  // namespace left4me::ctl
