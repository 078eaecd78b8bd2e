#pragma once

#include <map>
#include <string>
#include <vector>

#include "l4d2ctl/command.hpp"
#include "l4d2ctl/kinds.hpp"
#include "specs/manifest.hpp"

namespace left4me::ctl {

/// The servers that a verb is about, as the command line chose them.
struct Selection {
    std::vector<std::string> names = {};  ///< as typed until settle()
    std::string selector = {};            ///< of labels; empty: none
    bool all = false;
};

enum class MayBeAll { No, Yes };

/// Adds `NAME… | -l LABELS` to a verb, and perhaps `| --all`.
void add_selection(Command& verb, Selection& into, MayBeAll may_be_all);

/// Takes `server/` off the names. A usage error unless it chooses in exactly one way, with valid names and a
/// valid selector.
Result<void> settle(Selection& selection);

/// The names that a settled selection stands for. NotFound when a name is not among the manifests, or no
/// server has the labels.
Result<std::vector<std::string>> select_servers(const Selection& selection, const ManifestSet& set);

/// Those of `names` whose manifests have the labels; all of them for an empty selector, which settle() or
/// parse_selector() has found valid.
std::vector<std::string> with_labels(std::vector<std::string> names, Kind kind, const std::string& selector,
                                     const ManifestSet& set);

}  // namespace left4me::ctl
