#pragma once

#include <string>
#include <vector>

#include "l4d2ctl/json.hpp"
#include "l4d2ctl/kinds.hpp"
#include "l4d2ctl/session.hpp"

namespace left4me::ctl {

/// One line for each object, with a heading. Refused when systemd cannot be asked.
Result<std::string> kind_table(View& view, Kind kind, const std::vector<std::string>& names, bool wide,
                               const Terminal& terminal);

Json blueprint_json(const View& view, const std::string& name);
Json overlay_object_json(const View& view, const std::string& name);

/// Who names it, so that an operator knows what a change of it reaches.
std::vector<std::string> servers_using(const ManifestSet& set, const std::string& blueprint);
std::vector<std::string> blueprints_using(const ManifestSet& set, const std::string& overlay);

/// `directory /srv/tickrate`, `inline, 3 files`.
std::string source_text(const OverlaySource& source);

}  // namespace left4me::ctl
