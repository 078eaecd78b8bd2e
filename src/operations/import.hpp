#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "operations/context.hpp"
#include "specs/load.hpp"

namespace left4me::operations {

/// A host of the old Python platform, as manifests. Its units, and the paths of what they run, have the names
/// that left4me's have: a server that runs is adopted as it is, and changes at its next start.
struct Import {
    SourceFile manifests;
    std::vector<std::string> servers;
    std::vector<std::string> running;   ///< of them
    std::vector<std::string> overlays;  ///< directories in overlays/ that are to be copied
    std::vector<std::string> objects;   ///< "server/comp1": what the manifests make
};

/// Reads what is in instances/, and nothing else of the old platform's. An error if one server cannot be
/// converted, or if the old platform still runs: nothing is adopted by halves.
Result<Import> plan_import(const Context& context);

/// What root does: has the overlays copied by left4me, takes the old unit out of the way of left4me's, which
/// running servers do not notice, gives the directories of servers to whom they belong now, and notes in
/// /etc/left4me/imported what was there. Accepts names alone.
std::expected<void, std::string> hand_over(const Paths& paths, const std::vector<std::string>& servers,
                                           const std::vector<std::string>& overlays,
                                           const std::vector<std::string>& objects);
/// The way back, also of what was killed halfway. Servers go on running.
std::expected<void, std::string> hand_back(const Paths& paths);

/// Removes what the import made: manifests, renderings and artifacts. No pass follows, so servers go on
/// running. Returns how many manifests. NotFound: nothing was imported. As left4me, while no daemon runs.
Result<std::size_t> forget_import(Context& context);

}  // namespace left4me::operations
