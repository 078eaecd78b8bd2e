#pragma once

#include <cstddef>
#include <vector>

#include "adapters/events/history.hpp"
#include "operations/context.hpp"
#include "operations/json.hpp"

namespace left4me::operations {

/// The results of the revisions that were tried, the newest first; at most `most`, 0: all that are stored.
std::vector<HistoryEntry> history(const Context& context, std::size_t most);

/// The output of `history -o json`; docs/cli.md documents its fields.
Json history_json(const std::vector<HistoryEntry>& entries);

}  // namespace left4me::operations
