#pragma once

#include <string>
#include <vector>

#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// One line per object, with a heading.
std::string kind_table(const View& view, Kind kind, const std::vector<std::string>& names, bool wide,
                       const Terminal& terminal);

/// `directory /srv/tickrate`, `inline, 3 files`.
std::string source_text(const OverlaySource& source);

}  // namespace left4me::ctl
