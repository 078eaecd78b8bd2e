#pragma once

#include <string>
#include <vector>

#include "operations/error.hpp"
#include "specs/fields.hpp"
#include "specs/manifest.hpp"

namespace left4me::operations {

/// The servers that an operation is about, chosen in exactly one of these ways.
struct Selection {
    std::vector<std::string> names = {};
    std::string selector = {};  ///< of labels, in the grammar of parse_selector(); empty: none
    bool all = false;
};

/// The names that a selection stands for. NotFound when a name is not among the manifests, or no server has
/// the labels.
Result<std::vector<std::string>> select_servers(const Selection& selection, const ManifestSet& set);

/// Those of `names` whose manifests have the labels; all of them for an empty selector. None have those of a
/// selector that is no such thing.
std::vector<std::string> with_labels(std::vector<std::string> names, Kind kind, const std::string& selector,
                                     const ManifestSet& set);

}  // namespace left4me::operations
