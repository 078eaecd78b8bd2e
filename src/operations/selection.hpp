#pragma once

#include <string>
#include <vector>

#include "operations/error.hpp"
#include "specs/fields.hpp"
#include "specs/manifest.hpp"

namespace left4me::operations {

/// The servers that an operation applies to, chosen in exactly one of these ways.
struct Selection {
    std::vector<std::string> names = {};
    std::string selector = {};  ///< for labels, in the syntax of parse_selector(); empty: none
    bool all = false;
};

/// The names in a selection. NotFound if a name is not in the manifests, or no server has the labels.
Result<std::vector<std::string>> select_servers(const Selection& selection, const ManifestSet& set);

/// Those of `names` whose manifests have the labels; all of them for an empty selector, and none for an
/// invalid one.
std::vector<std::string> with_labels(std::vector<std::string> names, Kind kind, const std::string& selector,
                                     const ManifestSet& set);

}  // namespace left4me::operations
