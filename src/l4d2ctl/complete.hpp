#pragma once

#include <string>
#include <vector>

#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// Answers the shells' completion scripts (`l4d2ctl __complete WORD…`; the last word is the one at the
/// cursor, perhaps empty). Prints one candidate per line, followed by a tab and its description; the single
/// line `:files` means that the shell should complete files. Names come from the manifests; the host is not
/// queried. Errors mean fewer candidates, never a message.
void complete(Session& session, const std::vector<std::string>& words);

}  // namespace left4me::ctl
