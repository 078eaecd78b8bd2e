#pragma once

#include "l4d2ctl/command.hpp"
#include "l4d2ctl/kinds.hpp"
#include "operations/selection.hpp"

namespace left4me::ctl {

using operations::Selection;

enum class MayBeAll { No, Yes };

/// Adds `NAME… | -l LABELS` to a verb, and optionally `| --all`.
void add_selection(Command& verb, Selection& into, MayBeAll may_be_all);
/// `-l LABELS` alone.
void add_selector(Command& verb, Selection& into);

/// Takes `server/` off the names as they were typed. A usage error unless it chooses in exactly one way, with
/// valid names and a valid selector.
Result<void> settle(Selection& selection);

}  // namespace left4me::ctl
