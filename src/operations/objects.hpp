#pragma once

#include <string>
#include <vector>

#include "operations/json.hpp"
#include "operations/view.hpp"
#include "specs/fields.hpp"

namespace left4me::operations {

/// The objects that name it, so that an operator knows what a change affects.
std::vector<std::string> servers_using(const ManifestSet& set, const std::string& blueprint);
std::vector<std::string> blueprints_using(const ManifestSet& set, const std::string& overlay);

/// The names of a kind in the manifests, in order.
std::vector<std::string> manifest_names(const ManifestSet& set, Kind kind);
/// Those, and servers that only the host knows.
std::vector<std::string> shown_names(const View& view, Kind kind);

/// `{"directory": PATH}`, `{"archive": …}`, `{"git": …}`, `{"mapIndex": …}`, `{"workshop": …}`, `{"script":
/// …}` or `{"inline": {"files": [PATH, …]}}`.
Json source_json(const OverlaySource& source);
Json blueprint_json(const View& view, const std::string& name);
Json overlay_object_json(const View& view, const std::string& name);

/// The output of `get -o json` for each of them; docs/cli.md documents the fields.
Result<std::vector<Json>> objects_json(View& view, Kind kind, const std::vector<std::string>& names);

}  // namespace left4me::operations
