#pragma once

#include <string>

#include "operations/edit.hpp"

namespace left4me::operations {

struct DrainOptions {
    std::string deadline = {};  ///< a duration or a time of day; empty: it waits for ever
    std::string message = {};   ///< for the players, with each warning; may be empty
};

/// Sets the selected servers' manifests to Stopped, and notes that each is stopped once nobody plays there,
/// or when the deadline has passed. Replaces what was asked for the same servers before. InvalidArgument:
/// nothing was changed.
Result<Proposal> drain(Context& context, const Selection& selection, const DrainOptions& options);

}  // namespace left4me::operations
