#pragma once

#include <string>
#include <vector>

#include "operations/context.hpp"
#include "operations/view.hpp"
#include "reconciler/rollback.hpp"

namespace left4me::operations {

struct RolledBack {
    Rollback rollback;
    std::vector<std::string> servers;  ///< those in the manifests that use the overlay
};

/// The artifact of an overlay that somebody means. `digits`: the first ones of its digest, at least four;
/// empty: the one before the present one. NotFound, with those that are there: no such artifact, no earlier
/// one. InvalidArgument: not a digest, or the beginning of several.
Result<std::string> choose_artifact(const Seen& seen, const std::string& overlay, const std::string& digits);

/// Keeps an overlay or Installation at choose_artifact() until it is resumed, under the pass lock. NotFound,
/// too: there is none of this kind and name.
Result<RolledBack> roll_back(Context& context, const Subject& owner, const std::string& digest,
                             const std::string& reason);

struct OverlaysResumed {
    std::vector<std::string> overlays;
    std::vector<std::string> not_rolled_back;
    std::vector<std::string> servers;  ///< those in the manifests that use the overlays
};

/// Lets overlays, or Installations, follow their sources again, under the pass lock. They need not be in the
/// manifests any more.
Result<OverlaysResumed> resume_overlays(Context& context, Kind kind,
                                        const std::vector<std::string>& overlays);

}  // namespace left4me::operations
