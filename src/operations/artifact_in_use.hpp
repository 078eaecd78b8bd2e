#pragma once

#include <string>

#include "adapters/fd.hpp"
#include "adapters/paths.hpp"
#include "reconciler/rollback.hpp"

namespace left4me::operations {

/// The artifact that servers can have of an overlay or Installation: what was last built, or what it was
/// rolled back to. Without one, or if the caller may not read it, it is not open.
Fd open_artifact_in_use(const Paths& paths, const Rollbacks& rollbacks, const std::string& name);

}  // namespace left4me::operations
